from datetime import datetime
from uuid import UUID

from django.db import transaction

from inference_workers.enums import CompletionState
from inference_workers.models import Completion
from inference_workers.use_cases.charge_attempt import charge_unheard
from inference_workers.use_cases.end_completion import end_completion

UNFINISHED = (CompletionState.QUEUED, CompletionState.RUNNING)


def cancel_completion(*, completion_id: UUID, now: datetime) -> bool:
    """Nobody wants this text any more. A worker on it stops within a second and tells what it took; until then it
    counts with the most that it can cost. False when it had ended already."""
    with transaction.atomic():
        completion = (
            Completion.objects.select_for_update(of=("self",))
            .select_related("revision")
            .filter(pk=completion_id, state__in=UNFINISHED)
            .first()
        )
        if completion is None:
            return False
        if completion.state == CompletionState.RUNNING:
            charge_unheard(completion)
        charged = {"cost": completion.cost, "estimated_cost": completion.estimated_cost}
        end_completion(completion, CompletionState.CANCELLED, now=now, **charged)
    return True
