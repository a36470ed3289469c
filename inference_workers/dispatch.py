"""The front door: how the apps above ask for completions. Results come back through `signals` and the outbox."""

from uuid import UUID

from django.utils import timezone

from inference_workers.use_cases.cancel_completion import cancel_completion as _cancel
from inference_workers.use_cases.request_completion import InvalidMessages, request_completion
from inference_workers.use_cases.request_measure import (
    DoesNotMeasure,
    NothingToMeasure,
    measure_digest,
    request_measures,
)
from inference_workers.use_cases.seed_demo_models import seed_demo_models

__all__ = [
    "DoesNotMeasure",
    "InvalidMessages",
    "NothingToMeasure",
    "cancel_completion",
    "measure_digest",
    "request_completion",
    "request_measures",
    "seed_demo_models",
]


def cancel_completion(completion_id: UUID) -> bool:
    """Nobody wants this text any more: a worker on it stops within a second. False when it had ended already."""
    return _cancel(completion_id=completion_id, now=timezone.now())
