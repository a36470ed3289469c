from datetime import datetime

from django.db import transaction

from inference_workers.enums import BreakerState, CompletionState, Priority
from inference_workers.models import Completion
from inference_workers.policies.breaker import ENDPOINT_OPEN
from inference_workers.use_cases.end_completion import end_completion
from inference_workers.use_cases.lock_gauge import lock_gauge

AT_ONCE = 200


def turn_away(*, endpoint_id: int, now: datetime) -> int:
    """Tell people who wait for an endpoint that is left alone, at once and without asking it. Batches wait for it.
    Returns how many were told."""
    with transaction.atomic():
        gauge, _clock = lock_gauge(endpoint_id=endpoint_id)
        if gauge.state == BreakerState.CLOSED:
            return 0
        waiting = list(
            Completion.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(revision__endpoint=endpoint_id, state=CompletionState.QUEUED, priority=Priority.VISITOR)
            .order_by("created_at")[:AT_ONCE]
        )
        for completion in waiting:
            before = f", as it did this one: {completion.error_code}" if completion.error_code else ""
            end_completion(
                completion,
                CompletionState.FAILED,
                now=now,
                error_code=ENDPOINT_OPEN,
                error_message=f"the endpoint is left alone because it failed too often{before}",
            )
    return len(waiting)
