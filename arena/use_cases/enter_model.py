from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.models import Arena, Entry
from inference_workers.enums import Visibility
from inference_workers.models import LanguageModel


class OtherOutput(ArenaError):
    """The model answers with something else than the arena's battles are of."""


def enter_model(*, arena: Arena, language_model: LanguageModel, actor: Person | None, now: datetime) -> Entry:
    """Let a language model take part in an arena; one that is in already stays as it is.

    That it was tested here, and whether it was private then, is public from now on and cannot be taken back. Raises
    OtherOutput.
    """
    if language_model.current is not None and language_model.current.output != arena.output:
        raise OtherOutput(f"{language_model.slug} answers with {language_model.current.output}, not {arena.output}")
    is_private = language_model.visibility == Visibility.HIDDEN
    with transaction.atomic():
        entry, made = Entry.objects.get_or_create(
            arena=arena, language_model=language_model, defaults={"was_private": is_private, "entered_at": now}
        )
        if made:
            record_event(
                subject=entry, verb="entered", actor=actor, to_state=entry.state, data={"was_private": is_private}
            )
    return entry
