import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import Person, PersonalFile
from accounts.texts import write_personal_text
from foundation.text import clean_json
from inference_workers.enums import Priority, Task
from inference_workers.errors import InferenceError
from inference_workers.models import Completion, LanguageModelRevision, RuleSet
from inference_workers.policies.sampling import checked_sampling
from inference_workers.use_cases.wake_workers import wake_workers

ROLES = frozenset({"system", "user", "assistant"})


class InvalidMessages(InferenceError):
    """No chat that a model could answer; the message says what is wrong."""


class DoesNotWrite(InferenceError):
    """The revision's language model measures texts and writes none."""


def request_completion(
    *,
    revision: LanguageModelRevision,
    messages: Sequence[Mapping[str, Any]],
    person: Person | None,
    priority: int,
    seed: int,
    sampling: Mapping[str, Any] | None = None,
    screened: bool = True,
    rule_set: RuleSet | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Completion:
    """Ask a revision to answer `messages`, which end with what a user said. The worker adds the system prompt.

    The row is the job, in the caller's transaction; workers are woken after its commit. With a `person` the messages,
    and later the answer, are sealed under that person's key, and may name a picture of theirs. `sampling` is what is
    other than the revision's; the answer is held to `rule_set`, and to `schema` where the endpoint takes one. No rule
    for shown texts refuses it if not `screened`. Raises InvalidMessages, InvalidSampling, DoesNotWrite, PersonErased.
    """
    cleaned = checked_messages(messages)
    if revision.language_model.task != Task.TEXT:
        raise DoesNotWrite(f"{revision.language_model.slug} measures texts and writes none")
    with transaction.atomic():
        completion = Completion.objects.create(
            revision=revision,
            person=person,
            **_kept(cleaned, person),
            priority=Priority(priority),
            seed=seed,
            sampling=checked_sampling(sampling),
            screened=screened,
            rule_set=rule_set,
            schema=clean_json(dict(schema)) if schema else None,
            max_attempts=settings.COMPLETION_MAX_ATTEMPTS,
        )
        # Not a partial: Django's robust hooks ask a function that raised for its __qualname__.
        transaction.on_commit(
            lambda: wake_workers(completion_id=completion.pk, priority=completion.priority), robust=True
        )
    return completion


def _kept(messages: list[dict[str, str]], person: Person | None) -> dict[str, Any]:
    sealed = write_personal_text(person=person, text=json.dumps(messages)) if person else None
    pictures = len(own_pictures(messages, person))
    return {"messages": None if person else messages, "personal_messages": sealed, "pictures": pictures}


def own_pictures(messages: Sequence[Mapping[str, str]], person: Person | None) -> list[str]:
    """The pictures that the messages name, in order; each is a file of the person. Raises InvalidMessages."""
    named = [message["picture"] for message in messages if "picture" in message]
    if not named:
        return []
    try:
        ids = {UUID(each) for each in named}
    except ValueError as error:
        raise InvalidMessages("a picture is named by the id of its file") from error
    if person is None or PersonalFile.objects.filter(person=person, pk__in=ids).count() != len(ids):
        raise InvalidMessages("a picture is a file of the person who asks")
    return named


def checked_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The messages, cleaned. Raises InvalidMessages."""
    checked = []
    for number, message in enumerate(messages, start=1):
        if set(message) - {"picture"} != {"role", "content"} or not all(isinstance(v, str) for v in message.values()):
            raise InvalidMessages(f"message {number} must hold a role and a content, both text")
        if message["role"] not in ROLES or (message["role"] == "system" and number > 1):
            raise InvalidMessages(f"message {number}: {message['role'][:20]!r} cannot speak here")
        if not message["content"].strip():
            raise InvalidMessages(f"message {number} is empty")
        if "picture" in message and message["role"] != "user":
            raise InvalidMessages(f"message {number}: only people add pictures")
        checked.append(clean_json(dict(message)))
    if not checked or checked[-1]["role"] != "user":
        raise InvalidMessages("the last message must be the user's")
    return checked
