from datetime import datetime

from django.db import transaction

from inference_workers.enums import BreakerState, Priority
from inference_workers.errors import InferenceError
from inference_workers.models import Completion, LanguageModel
from inference_workers.use_cases.lock_gauge import lock_gauge
from inference_workers.use_cases.request_completion import request_completion

TEST_QUESTION = "Say hello in one short sentence."


class NothingToAsk(InferenceError):
    """The language model was never given a revision."""


def ask_for_test(*, language_model_id: int, now: datetime) -> Completion:
    """Ask a language model something small, before everything that waits. At an endpoint that is left alone it is the
    completion that tries it, at once. Raises NothingToAsk."""
    with transaction.atomic():
        model = LanguageModel.objects.select_related("current").get(pk=language_model_id)
        if model.current is None:
            raise NothingToAsk(model.slug)
        gauge, clock = lock_gauge(endpoint_id=model.current.endpoint_id)
        if gauge.state == BreakerState.OPEN:
            gauge.opened_until = clock
            gauge.save(update_fields=["opened_until"])
        return request_completion(
            revision=model.current,
            messages=[{"role": "user", "content": TEST_QUESTION}],
            person=None,
            priority=Priority.VISITOR if gauge.state == BreakerState.CLOSED else Priority.PROBE,
            seed=1,
        )
