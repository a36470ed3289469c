from datetime import datetime
from uuid import UUID

from django.db import transaction

from inference_workers.enums import CompletionState
from inference_workers.models import Completion
from inference_workers.use_cases.end_completion import end_completion

UNFINISHED = (CompletionState.QUEUED, CompletionState.RUNNING)


def cancel_completion(*, completion_id: UUID, now: datetime) -> bool:
    """Nobody wants this text any more. A worker on it stops within a second. False when it had ended already."""
    with transaction.atomic():
        completion = Completion.objects.select_for_update().filter(pk=completion_id, state__in=UNFINISHED).first()
        if completion is None:
            return False
        end_completion(completion, CompletionState.CANCELLED, now=now)
    return True
