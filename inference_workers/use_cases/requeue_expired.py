from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from foundation.leases import lease_expired
from foundation.transitions import check
from inference_workers.enums import CompletionState
from inference_workers.models import Completion
from inference_workers.transitions import COMPLETION
from inference_workers.use_cases.charge_attempt import by_endpoint, charge_unheard
from inference_workers.use_cases.end_completion import end_completion

WORKER_LOST = "worker_lost"
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Swept:
    requeued: int
    failed: int


def requeue_expired(*, now: datetime) -> Swept:
    """Take completions back whose worker has not been heard of for a lease: into the queue, or, when the last attempt
    went the same way, out of it for good. What they can have cost at most is charged. Rows that another sweep holds are
    left to it."""
    with transaction.atomic():
        lost = list(
            Completion.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("revision")
            .filter(lease_expired("lease_expires_at"), state=CompletionState.RUNNING)
            .order_by("lease_expires_at")[:AT_ONCE]
        )
        for completion in by_endpoint(lost):
            charge_unheard(completion)
            if completion.attempt >= completion.max_attempts:
                message = f"its worker was lost {completion.attempt} times"
                end_completion(
                    completion,
                    CompletionState.FAILED,
                    now=now,
                    error_code=WORKER_LOST,
                    error_message=message,
                    reserved_cost=None,
                    **_charged(completion),
                )
            else:
                _queue_again(completion)
    failed = sum(completion.state == CompletionState.FAILED for completion in lost)
    return Swept(requeued=len(lost) - failed, failed=failed)


def _queue_again(completion: Completion) -> None:
    check(COMPLETION, completion.state, CompletionState.QUEUED)
    completion.state, completion.error_code = CompletionState.QUEUED, WORKER_LOST
    completion.lease_token = completion.lease_expires_at = completion.reserved_cost = None
    charged = list(_charged(completion))
    completion.save(update_fields=["state", "error_code", "lease_token", "lease_expires_at", "reserved_cost", *charged])


def _charged(completion: Completion) -> dict[str, Decimal | None]:
    return {"cost": completion.cost, "estimated_cost": completion.estimated_cost}
