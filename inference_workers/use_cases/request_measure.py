import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import Person
from accounts.texts import blind_digest_for, write_personal_text
from foundation.media.kinds import MediaKind
from foundation.text import clean_json
from inference_workers.enums import CompletionState, Priority, Task
from inference_workers.errors import InferenceError
from inference_workers.models import Completion, CompletionFile, LanguageModelRevision, Measurement
from inference_workers.use_cases.request_completion import InvalidMessages, own_pictures
from inference_workers.use_cases.wake_workers import wake_workers

OPEN = (CompletionState.QUEUED, CompletionState.RUNNING)
# Rows of one statement.
BATCH = 1_000


class DoesNotMeasure(InferenceError):
    """The revision's language model writes texts and measures none."""


class NothingToMeasure(InferenceError):
    """Embeddings and classes are of one text that is not empty, a reward of a chat that ends with an answer. What is
    sorted into classes may be a picture as well, or have one: the person's own."""


def request_measures(
    *,
    revision: LanguageModelRevision,
    chats: Iterable[Sequence[Mapping[str, Any]]],
    person: Person | None = None,
    priority: int = Priority.BATCH,
) -> int:
    """Ask a revision for the numbers of each chat; but of a reward model a chat is one message, its text.

    What is measured already, or being measured, is not asked again. The rows are the jobs, in the caller's transaction.
    A message that is sorted into classes may name a picture: with `picture` a file of the person, with `answer` a
    completion for them that is one. Returns how many were asked for. Raises DoesNotMeasure, NothingToMeasure,
    InvalidMessages and PersonErased.
    """
    task = Task(revision.language_model.task)
    if task == Task.TEXT:
        raise DoesNotMeasure(f"{revision.language_model.slug} writes texts and measures none")
    wanted = {}
    for chat in chats:
        messages = checked_chat(task, chat)
        if task == Task.CLASSES:
            refuse_foreign_pictures(messages, person)
        wanted[measure_digest(task, messages, person)] = messages
    asked = 0
    digests = list(wanted)
    with transaction.atomic():
        for start in range(0, len(digests), BATCH):
            piece = digests[start : start + BATCH]
            asked += _ask(revision, task, {digest: wanted[digest] for digest in piece}, person, priority)
    return asked


def checked_chat(task: Task, chat: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Cleaned. Raises NothingToMeasure."""
    messages: list[dict[str, str]] = [clean_json(dict(message)) for message in chat]
    seen = {"picture", "answer"} if task == Task.CLASSES else set()
    if not messages or any(not message["content"].strip() and not seen & set(message) for message in messages):
        raise NothingToMeasure("there is no text to measure")
    if task in (Task.EMBEDDING, Task.CLASSES) and len(messages) != 1:
        raise NothingToMeasure(f"an embedding or a class is of one text, not of {len(messages)}")
    if task == Task.REWARD and messages[-1]["role"] != "assistant":
        raise NothingToMeasure("a reward is of a chat that ends with an answer")
    return messages


def refuse_foreign_pictures(messages: Sequence[Mapping[str, str]], person: Person | None) -> None:
    """Raises InvalidMessages."""
    own_pictures(messages, person)
    answers = [UUID(message["answer"]) for message in messages if "answer" in message]
    if not answers:
        return
    theirs = CompletionFile.objects.filter(kind=MediaKind.IMAGE, completion__person__isnull=False)
    if theirs.filter(completion__person=person, completion__in=answers).count() != len(answers):
        raise InvalidMessages("an answer that is looked at is a picture for the person who asks")


def measure_digest(task: Task, messages: Sequence[Mapping[str, str]], person: Person | None) -> str:
    """By which a measurement is found; of a person's words it cannot be made without their key."""
    canonical = json.dumps([task.value, list(messages)], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = sha256(canonical.encode()).hexdigest()
    return digest if person is None else blind_digest_for(person, digest, purpose="measure")


def _ask(
    revision: LanguageModelRevision,
    task: Task,
    wanted: Mapping[str, list[dict[str, str]]],
    person: Person | None,
    priority: int,
) -> int:
    there = set(Measurement.objects.filter(revision=revision, digest__in=wanted).values_list("digest", flat=True))
    jobs = Completion.objects.filter(revision=revision, digest__in=wanted, state__in=OPEN)
    there |= set(jobs.exclude(task=Task.TEXT).values_list("digest", flat=True))
    rows = [
        Completion(
            revision=revision,
            task=task,
            digest=digest,
            person=person,
            messages=messages if person is None else None,
            personal_messages=write_personal_text(person=person, text=json.dumps(messages)) if person else None,
            pictures=sum("picture" in message or "answer" in message for message in messages),
            priority=Priority(priority),
            seed=0,
            max_attempts=settings.COMPLETION_MAX_ATTEMPTS,
        )
        for digest, messages in wanted.items()
        if digest not in there
    ]
    # Who asks for the same text at the same moment has asked for it.
    Completion.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        transaction.on_commit(lambda: wake_workers(completion_id=rows[0].pk, priority=rows[0].priority), robust=True)
    return len(rows)
