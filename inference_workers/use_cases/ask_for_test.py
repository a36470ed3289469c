from datetime import datetime

from django.db import transaction

from inference_workers.enums import BreakerState, CompletionState, Priority, Task
from inference_workers.errors import InferenceError
from inference_workers.models import Completion, LanguageModel
from inference_workers.use_cases.lock_gauge import lock_gauge
from inference_workers.use_cases.request_completion import request_completion
from inference_workers.use_cases.request_measure import checked_chat, measure_digest, request_measures

TEST_QUESTION = "Say hello in one short sentence."


class NothingToAsk(InferenceError):
    """The language model was never given a revision."""


def ask_for_test(*, language_model_id: int, now: datetime) -> Completion:
    """Ask a language model something small, before everything that waits. At an endpoint that is left alone it is the
    completion that tries it, at once; fails it, the endpoint is left alone for as long again, and not for longer. A
    test that waits there already is the one that is asked for. Raises NothingToAsk."""
    with transaction.atomic():
        model = LanguageModel.objects.select_related("current").get(pk=language_model_id)
        if model.current is None:
            raise NothingToAsk(model.slug)
        gauge, clock = lock_gauge(endpoint_id=model.current.endpoint_id)
        if gauge.state == BreakerState.OPEN:
            gauge.opened_until, gauge.openings = clock, max(gauge.openings - 1, 0)
            gauge.save(update_fields=["opened_until", "openings"])
        if gauge.state == BreakerState.CLOSED:
            return try_out(model, now=now, priority=Priority.VISITOR)
        tests = model.current.completions.filter(priority=Priority.PROBE, state=CompletionState.QUEUED)
        return tests.order_by("created_at").first() or try_out(model, now=now, priority=Priority.PROBE)


def try_out(model: LanguageModel, *, now: datetime, priority: Priority) -> Completion:
    """One small thing of a model's current revision, by what it is for; in the caller's transaction."""
    asked = [{"role": "user", "content": TEST_QUESTION}]
    if model.task == Task.TEXT:
        return request_completion(revision=model.serves, messages=asked, person=None, priority=priority, seed=1)
    # What was measured before would not be asked again.
    asked[0]["content"] += f" It is {now.isoformat()}."
    if model.task == Task.REWARD:
        asked.append({"role": "assistant", "content": "Hello."})
    request_measures(revision=model.serves, chats=[asked], priority=priority)
    digest = measure_digest(Task(model.task), checked_chat(Task(model.task), asked), None)
    return Completion.objects.get(revision=model.serves, digest=digest)
