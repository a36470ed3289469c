from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.models import Arena, PromptClassifier
from arena.use_cases.set_moderator import refuse_unless_sorting
from inference_workers.models import LanguageModel


def set_classifier(
    *, arena_id: int, language_model: LanguageModel | None, limit: float, actor: Person | None, now: datetime
) -> None:
    """From now on the workers have this model label the arena's prompts, the newest first; None takes it away, and its
    labels stay. Raises SortsNothing."""
    if language_model is not None:
        refuse_unless_sorting(language_model)
    with transaction.atomic():
        arena = Arena.objects.select_for_update(of=["self"]).get(pk=arena_id)
        if language_model is None:
            gone, _by_model = PromptClassifier.objects.filter(arena=arena).delete()
            if gone:
                record_event(subject=arena, verb="classifier_unset", actor=actor)
            return
        PromptClassifier.objects.update_or_create(
            arena=arena, defaults={"language_model": language_model, "limit": limit, "changed_at": now}
        )
        data = {"language_model": language_model.slug, "limit": limit}
        record_event(subject=arena, verb="classifier_set", actor=actor, data=data)
