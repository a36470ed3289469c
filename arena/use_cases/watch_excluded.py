from datetime import datetime

import structlog
from django.db import transaction

from annotation.use_cases.record_event import record_event
from arena.models import Arena
from arena.queries.excluded import excluded_in

log = structlog.get_logger(__name__)


def watch_excluded(*, now: datetime) -> int:
    """Note, once, when more of an arena's votes are set apart than its setting says, and when no longer: an event of
    the arena and a line of the log. Returns how many arenas are above it."""
    above = 0
    for arena_id in Arena.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            arena = Arena.objects.select_for_update(of=["self"]).get(pk=arena_id)
            found = excluded_in(arena, now=now)
            above += found.is_alarming
            if found.is_alarming == (arena.excluded_since is not None):
                continue
            arena.excluded_since = now if found.is_alarming else None
            arena.save(update_fields=["excluded_since"])
            data = {"votes": found.votes, "set_apart": found.set_apart, "limit": found.limit}
            verb = "excluded_alarm" if found.is_alarming else "excluded_calm"
            record_event(subject=arena, verb=verb, actor=None, data=data)
            log.warning(verb, arena=arena.pk, **data)
    return above
