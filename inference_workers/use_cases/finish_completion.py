from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.errors import PersonErased
from accounts.models import Person
from accounts.texts import seal_for, write_personal_text
from foundation.text import clean_text
from inference_workers.enums import CompletionState, FinishReason
from inference_workers.models import Completion, CompletionFile
from inference_workers.policies.logprobs import packed
from inference_workers.policies.prices import Usage
from inference_workers.use_cases.end_completion import end_completion, held_completion
from inference_workers.use_cases.note_attempt import note_attempt

NO_ERROR = {"error_code": "", "error_message": "", "reserved_cost": None}


@dataclass(frozen=True, slots=True)
class Measures:
    """What a completion took. Token counts are None where an endpoint tells none, log-probabilities where they were not
    asked for as well."""

    prompt_tokens: int | None
    completion_tokens: int | None
    first_token_seconds: float | None
    total_seconds: float
    logprobs: Sequence[float] | None = None

    @property
    def columns(self) -> dict[str, float | None]:
        """What is stored as it is."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "first_token_seconds": self.first_token_seconds,
            "total_seconds": self.total_seconds,
        }

    @property
    def usage(self) -> Usage | None:
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return Usage(self.prompt_tokens, self.completion_tokens)


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A picture, sound or film that lies in its place."""

    kind: str
    sha256: str
    stored: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    seconds: float | None


def finish_completion(
    *,
    completion_id: UUID,
    lease_token: UUID,
    text: str,
    finish_reason: FinishReason,
    measures: Measures,
    now: datetime,
    usage: Usage | None = None,
    screen_version: str | None = None,
    file: WrittenFile | None = None,
    house_rules: list[dict[str, Any]] | None = None,
) -> bool:
    """Store a worker's result. False, and nothing written, when the completion is no longer held by this token.

    `usage` is what is paid for, else what the measures say. `screen_version` says which rules let the text pass, and
    `house_rules` which of the house's it broke. With a `file` the completion is that file. The text of a person's
    completion is sealed; PersonErased when that person's key is gone.
    """
    with transaction.atomic():
        completion = held_completion(completion_id, lease_token)
        if completion is None:
            return False
        charged = note_attempt(completion, usage=usage or measures.usage)
        end_completion(
            completion,
            CompletionState.SUCCEEDED,
            now=now,
            **_stored(text, completion.person),
            finish_reason=finish_reason,
            **NO_ERROR,
            **measures.columns,
            logprobs=_packed(measures.logprobs, completion.person),
            **charged,
            screen_version=screen_version,
            house_rules=house_rules,
        )
        if file is not None:
            _name_file(completion, file)
    return True


def _name_file(completion: Completion, file: WrittenFile) -> None:
    refuse_erased(completion.person)
    CompletionFile.objects.create(completion=completion, **asdict(file))


def refuse_erased(person: Person | None) -> None:
    """Files are not sealed, so none of theirs comes once somebody is erased: until this transaction ends nobody is.
    Raises PersonErased."""
    if person is None:
        return
    held = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if held.erased_at is not None:
        raise PersonErased(f"person {person.pk} was erased")


def _stored(text: str, person: Person | None) -> dict[str, Any]:
    if person is None:
        return {"text": clean_text(text), "personal_text": None}
    return {"text": None, "personal_text": write_personal_text(person=person, text=text)}


def _packed(logprobs: Sequence[float] | None, person: Person | None) -> bytes | None:
    if logprobs is None:
        return None
    return packed(logprobs) if person is None else seal_for(person, packed(logprobs).hex())
