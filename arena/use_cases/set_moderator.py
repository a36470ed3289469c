from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.models import Arena, Moderator
from inference_workers.enums import Backend, Task
from inference_workers.models import LanguageModel


class SortsNothing(ArenaError):
    """The language model is for something else than sorting texts, or was never given a revision."""


class ReadsWordsOnly(ArenaError):
    """In the workers' own process models read texts alone, whatever the setting says."""


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
    takes_images: bool = False,
    actor: Person | None,
    now: datetime,
) -> Moderator:
    """From now on this model is shown what is written in an arena, and with `takes_images` pictures too. Raises
    SortsNothing and ReadsWordsOnly."""
    refuse_unless_sorting(language_model)
    if takes_images and language_model.serves.endpoint.backend == Backend.TRANSFORMERS:
        raise ReadsWordsOnly(f"{language_model.slug} runs in the workers")
    said = {"limits": dict(limits), "wait_seconds": wait_seconds, "on_silence": on_silence}
    said["takes_images"] = takes_images
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
