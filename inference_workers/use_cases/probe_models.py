from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from inference_workers.enums import BreakerState, CompletionState, Output, Priority, Task, Visibility
from inference_workers.models import Completion, LanguageModel
from inference_workers.use_cases.ask_for_test import TEST_QUESTION
from inference_workers.use_cases.request_completion import request_completion


def probe_models(*, every: timedelta, now: datetime) -> int:
    """Ask something small of every language model that takes part and was not asked so for that long: after people,
    before batches, and within its endpoint's budget. An endpoint that is left alone is tried by its breaker instead. A
    file is nothing small: models that make files are tried out by hand. Returns how many were asked."""
    probes = Completion.objects.filter(revision__language_model=OuterRef("pk"), priority=Priority.PROBE)
    asked = probes.filter(
        Q(created_at__gt=now - every) | Q(state__in=[CompletionState.QUEUED, CompletionState.RUNNING])
    )
    due = (
        LanguageModel.objects.filter(weight__gt=0, current__output=Output.TEXT)
        .exclude(visibility=Visibility.RETIRED)
        .exclude(current__endpoint__gauge__state__in=[BreakerState.OPEN, BreakerState.HALF_OPEN])
        .exclude(Exists(asked))
    )
    return sum(_probe(pk, asked) for pk in due.order_by("pk").values_list("pk", flat=True))


def _probe(pk: int, asked: object) -> bool:
    """Beside another sweeper: whoever holds the model looks once more, and asks."""
    with transaction.atomic():
        model = (
            LanguageModel.objects.select_for_update(of=("self",), skip_locked=True)
            # What measures has no text to look at, and is tried out by hand.
            .filter(pk=pk, task=Task.TEXT)
            .exclude(Exists(asked))  # type: ignore[arg-type]
            .first()
        )
        if model is None:
            return False
        request_completion(
            revision=model.serves,
            messages=[{"role": "user", "content": TEST_QUESTION}],
            person=None,
            priority=Priority.PROBE,
            seed=1,
        )
    return True
