from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.texts import write_personal_text
from foundation.text import clean_text
from inference_workers.enums import CompletionState
from inference_workers.models import Completion, Measurement
from inference_workers.policies.prices import Usage
from inference_workers.policies.vectors import packed
from inference_workers.use_cases.end_completion import end_completion, held_completion
from inference_workers.use_cases.note_attempt import note_attempt


def finish_measure(
    *,
    completion_id: UUID,
    lease_token: UUID,
    numbers: Sequence[float],
    labels: Sequence[str] = (),
    prompt_tokens: int | None,
    total_seconds: float,
    now: datetime,
    usage: Usage | None = None,
) -> bool:
    """Store a worker's numbers. False, and nothing written, when the measure is no longer held by this token.

    Numbers of a person's words are sealed; PersonErased when that person's key is gone.
    """
    with transaction.atomic():
        completion = held_completion(completion_id, lease_token)
        if completion is None:
            return False
        charged = note_attempt(completion, usage=usage)
        end_completion(
            completion,
            CompletionState.SUCCEEDED,
            now=now,
            measurement=_stored(completion, packed(numbers), len(numbers), labels),
            error_code="",
            error_message="",
            prompt_tokens=prompt_tokens,
            completion_tokens=0 if prompt_tokens is not None else None,
            total_seconds=total_seconds,
            **charged,
        )
    return True


def _stored(completion: Completion, numbers: bytes, dimension: int, labels: Sequence[str]) -> Measurement:
    """A measure that was asked for again after its result was there keeps the first one."""
    found = Measurement.objects.filter(revision=completion.revision, digest=completion.digest).first()
    if found is not None:
        return found
    person = completion.person
    sealed = write_personal_text(person=person, text=b64encode(numbers).decode()) if person else None
    return Measurement.objects.create(
        revision=completion.revision,
        digest=completion.digest,
        person=person,
        dimension=dimension,
        labels=[clean_text(label) for label in labels] or None,
        numbers=None if sealed else numbers,
        personal_numbers=sealed,
    )
