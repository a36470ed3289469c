from collections.abc import Mapping
from uuid import UUID

from django.db import connection, transaction

from foundation.transitions import check
from inference_workers.enums import CompletionState, Priority
from inference_workers.models import Completion
from inference_workers.policies.prices import Usage
from inference_workers.transitions import COMPLETION
from inference_workers.use_cases.charge_attempt import by_endpoint, charge_known
from inference_workers.use_cases.wake_workers import wake_workers

# The attempt stays counted, since its number orders the streams; one more is allowed instead.
RELEASE = """
UPDATE inference_workers_completion c
SET state = 'queued', lease_token = NULL, lease_expires_at = NULL, reserved_cost = NULL,
    max_attempts = c.max_attempts + 1
FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) AS held (id, token)
WHERE c.id = held.id AND c.lease_token = held.token AND c.state = 'running'
RETURNING c.id
"""


def release_completions(*, held: Mapping[UUID, UUID], usage: Mapping[UUID, Usage] | None = None) -> set[UUID]:
    """Give running completions back to the queue, by their tokens, because their worker has to stop. It is nobody's
    fault: none loses an attempt. `usage` is what they took so far and are charged with. Returns those that were still
    held."""
    check(COMPLETION, CompletionState.RUNNING, CompletionState.QUEUED)
    if not held:
        return set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RELEASE, {"ids": list(held), "tokens": list(held.values())})
        released = {row[0] for row in cursor.fetchall()}
        taken = usage or {}
        charged = Completion.objects.select_related("revision__language_model").filter(pk__in=released & set(taken))
        for completion in by_endpoint(charged):
            charge_known(completion, taken[completion.pk])
            completion.save(update_fields=["cost", "estimated_cost"])
        if released:
            transaction.on_commit(
                lambda: wake_workers(completion_id=min(released), priority=Priority.VISITOR), robust=True
            )
    return released
