from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from foundation.transitions import check
from inference_workers.enums import CompletionState
from inference_workers.models import Completion, OutboxEntry
from inference_workers.signals import job_finished
from inference_workers.streams import Kind, announce_end
from inference_workers.transitions import COMPLETION


def held_completion(completion_id: UUID, lease_token: UUID) -> Completion | None:
    """Lock the completion if it still runs under this token: the fence that no replaced worker passes."""
    return (
        Completion.objects.select_for_update(of=("self",))
        .select_related("person", "revision__language_model")
        .filter(pk=completion_id, state=CompletionState.RUNNING, lease_token=lease_token)
        .first()
    )


def end_completion(completion: Completion, state: CompletionState, *, now: datetime, **values: Any) -> None:
    """Write the last state of a locked completion and the news of it, in the caller's transaction."""
    check(COMPLETION, completion.state, state)
    values |= {"state": state, "lease_token": None, "lease_expires_at": None, "finished_at": now}
    for name, value in values.items():
        setattr(completion, name, value)
    completion.save(update_fields=list(values))
    OutboxEntry.objects.create(completion=completion)
    kind = Kind.DONE if state == CompletionState.SUCCEEDED else Kind.FAILED
    transaction.on_commit(lambda: announce_end(completion.pk, completion.attempt, kind), robust=True)
    transaction.on_commit(lambda: job_finished.send_robust(sender=Completion, completion_id=completion.pk), robust=True)
