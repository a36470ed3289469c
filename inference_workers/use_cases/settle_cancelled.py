from uuid import UUID

from django.db import transaction

from inference_workers.enums import CompletionState
from inference_workers.models import Completion
from inference_workers.policies.prices import Usage
from inference_workers.use_cases.charge_attempt import charge_known


def settle_cancelled(*, completion_id: UUID, attempt: int, usage: Usage) -> bool:
    """A cancelled completion was charged with the most that it could cost; its worker has stopped and tells what it
    took. False, and nothing written, for one that was not cancelled, or of which that was told before."""
    with transaction.atomic():
        completion = (
            Completion.objects.select_for_update(of=("self",))
            .select_related("revision__language_model")
            .filter(pk=completion_id, state=CompletionState.CANCELLED, attempt=attempt, reserved_cost__isnull=False)
            .first()
        )
        if completion is None:
            return False
        charge_known(completion, usage, instead_of=completion.reserved_cost)
        completion.reserved_cost = None
        completion.save(update_fields=["cost", "estimated_cost", "reserved_cost"])
    return True
