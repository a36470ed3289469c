from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from foundation.database import database_now
from foundation.text import clean_text
from foundation.transitions import check
from inference_workers.enums import CompletionState, Priority
from inference_workers.models import Completion
from inference_workers.policies.breaker import SHUT
from inference_workers.policies.prices import Usage
from inference_workers.policies.retry import retry_delay
from inference_workers.transitions import COMPLETION
from inference_workers.use_cases.end_completion import end_completion, held_completion
from inference_workers.use_cases.note_attempt import note_attempt


def fail_completion(
    *,
    completion_id: UUID,
    lease_token: UUID,
    code: str,
    message: str,
    retryable: bool,
    now: datetime,
    retry_after: float | None = None,
    usage: Usage | None = None,
    screen_version: str | None = None,
    house_rules: list[dict[str, Any]] | None = None,
) -> CompletionState | None:
    """Note that an attempt failed: the completion waits for another one if there is any left and it may help, else it
    has failed. `usage` is what the attempt is paid for all the same; `screen_version` says which rules refused its
    text, if any did, and `house_rules` which of the house's. Returns which, or None, and nothing written, when it is
    no longer held by this token."""
    with transaction.atomic():
        completion = held_completion(completion_id, lease_token)
        if completion is None:
            return None
        charged = note_attempt(completion, code=code, retryable=retryable, usage=usage)
        reason = {
            "error_code": code,
            "error_message": clean_text(message)[:2000],
            **charged,
            "reserved_cost": None,
            "screen_version": screen_version,
            "house_rules": house_rules,
        }
        if code in SHUT and completion.priority == Priority.BATCH:
            # It waits until an operator has acted, however often the endpoint is tried until then.
            return _queue_again(completion, 0.0, reason | {"max_attempts": completion.max_attempts + 1})
        if retryable and completion.attempt < completion.max_attempts:
            delay = retry_delay(completion.attempt, retry_after, priority=completion.priority)
            if delay is not None:
                return _queue_again(completion, delay, reason)
        end_completion(completion, CompletionState.FAILED, now=now, **reason)
    return CompletionState.FAILED


def _queue_again(completion: Completion, delay: float, reason: dict[str, Any]) -> CompletionState:
    check(COMPLETION, completion.state, CompletionState.QUEUED)
    Completion.objects.filter(pk=completion.pk).update(
        state=CompletionState.QUEUED,
        lease_token=None,
        lease_expires_at=None,
        claimable_at=database_now() + timedelta(seconds=delay),
        **reason,
    )
    return CompletionState.QUEUED
