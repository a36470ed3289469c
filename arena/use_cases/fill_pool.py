from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.imports.pool import MOST_PROMPTS, PoolText
from arena.models import Arena, PoolPrompt

CHUNK = 1000


class PoolFull(ArenaError):
    """A pool is read whole with every draw; there is an end to it."""


@dataclass(frozen=True)
class Filled:
    """How many prompts are new; of `known` the pool had the text already, offered or not."""

    added: int
    known: int


def fill_pool(
    *, arena_id: int, prompts: Sequence[PoolText], defaults: PoolText, actor: Person | None, now: datetime
) -> Filled:
    """Put prompts into an arena's pool, all of them or none; what one does not say of itself `defaults` says.

    A text that is there already stays as it is, switched off too. Raises PoolFull.
    """
    with transaction.atomic():
        arena = Arena.objects.select_for_update(of=["self"], no_key=True).get(pk=arena_id)
        before = arena.pool.count()
        if before + len(prompts) > MOST_PROMPTS:
            raise PoolFull(f"a pool has at most {MOST_PROMPTS:,} prompts; this one has {before:,}")
        rows = [_row(arena, given, defaults, now) for given in prompts]
        PoolPrompt.objects.bulk_create(rows, batch_size=CHUNK, ignore_conflicts=True)
        added = arena.pool.count() - before
        if added:
            record_event(subject=arena, verb="pool_filled", actor=actor, data={"added": added})
    return Filled(added, len(prompts) - added)


def _row(arena: Arena, given: PoolText, defaults: PoolText, now: datetime) -> PoolPrompt:
    return PoolPrompt(
        arena=arena,
        text=given.text,
        digest=sha256(given.text.encode()).hexdigest(),
        category=given.category or defaults.category,
        language=given.language or defaults.language,
        source=given.source or defaults.source,
        created_at=now,
    )
