from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.models import Arena, Moderator
from inference_workers.enums import Task
from inference_workers.models import LanguageModel


class SortsNothing(ArenaError):
    """The language model is for something else than sorting texts, or was never given a revision."""


def refuse_unless_sorting(model: LanguageModel) -> None:
    """Raises SortsNothing."""
    if model.task != Task.CLASSES or model.current_id is None:
        raise SortsNothing(f"{model.slug} does not sort texts")


def set_moderator(
    *,
    arena_id: int,
    language_model: LanguageModel,
    limits: Mapping[str, float | None],
    wait_seconds: int,
    on_silence: str,
    actor: Person | None,
    now: datetime,
) -> Moderator:
    """From now on this model is shown what is written in an arena. Raises SortsNothing."""
    refuse_unless_sorting(language_model)
    said = {"limits": dict(limits), "wait_seconds": wait_seconds, "on_silence": on_silence}
    with transaction.atomic():
        arena = Arena.objects.select_for_update(of=["self"]).get(pk=arena_id)
        moderator, _made = Moderator.objects.update_or_create(
            arena=arena, defaults={"language_model": language_model, "changed_at": now, **said}
        )
        data = {"language_model": language_model.slug, **said}
        record_event(subject=arena, verb="moderator_set", actor=actor, data=data)
    return moderator


def unset_moderator(*, arena_id: int, actor: Person | None) -> None:
    """The house rules alone, from now on."""
    with transaction.atomic():
        arena = Arena.objects.select_for_update(of=["self"]).get(pk=arena_id)
        gone, _by_model = Moderator.objects.filter(arena=arena).delete()
        if gone:
            record_event(subject=arena, verb="moderator_unset", actor=actor)
