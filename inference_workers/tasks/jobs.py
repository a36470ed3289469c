"""One claimed completion on its way through a backend: what is asked, what may be shown, how it ends."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.errors import PersonErased
from accounts.files import read_personal_files
from foundation.media.anew import made_anew
from foundation.media.check import BadMedia
from foundation.media.store import media_path
from inference_workers.engine.protocol import (
    Backend,
    ChatMessage,
    Finished,
    GenerationError,
    GenerationRequest,
    Measured,
    MeasureRequest,
    ModelRef,
    Picture,
    Sampling,
    Task,
)
from inference_workers.enums import Backend as BackendKind
from inference_workers.enums import FinishReason, Output, Rejection
from inference_workers.models import Completion, CompletionFile, LanguageModel, LanguageModelRevision, RuleSet
from inference_workers.policies.house_rules import rule_book
from inference_workers.policies.prices import CHARACTERS_PER_TOKEN, PICTURE_TOKENS, Usage, guessed_tokens
from inference_workers.policies.screen import NO_RULES, SCREEN_VERSION, Asked, Screen
from inference_workers.tasks.files import FileLook, FileRefused
from inference_workers.use_cases.fail_completion import fail_completion
from inference_workers.use_cases.finish_completion import Measures, WrittenFile, finish_completion
from inference_workers.use_cases.finish_measure import finish_measure

MEGA = 1_000_000
LARGEST_SEED = 2**63 - 1


@dataclass(eq=False)
class Job:
    """`ending` writes the result; it is kept until the database has taken it or the lease is lost."""

    completion: Completion
    backend: Backend
    screen: Screen
    deadline: float
    request_id: str = field(init=False)
    ending: Callable[[], object] | None = None
    # What there is to pay for, in characters until the endpoint tells its counts.
    sent: int = 0
    received: int = 0
    finished: Finished | None = None
    look: FileLook | None = None

    def __post_init__(self) -> None:
        # An earlier attempt may still be ending in the same backend.
        self.request_id = f"{self.completion.pk}/{self.completion.attempt}"

    @property
    def id(self) -> UUID:
        return self.completion.pk

    @property
    def token(self) -> UUID:
        assert self.completion.lease_token is not None
        return self.completion.lease_token

    @property
    def may_end(self) -> bool:
        """Whether its ending would wait for nothing."""
        return self.ending is not None and (self.look is None or self.look.is_over)

    def drop_look(self) -> None:
        if self.look is not None:
            self.look.drop()
            self.look = None

    @property
    def usage(self) -> Usage | None:
        """None where nothing came back: an endpoint that fails is not paid."""
        end = self.finished
        if end is not None and end.file is not None:
            # How long it plays is known once it has been looked at.
            return Usage(guessed_tokens(self.sent), 0, files=1)
        if end is not None and end.prompt_tokens is not None and end.completion_tokens is not None:
            return Usage(end.prompt_tokens, end.completion_tokens)
        if end is None and not self.received:
            return None
        return Usage(guessed_tokens(self.sent), guessed_tokens(self.received))


def usage_so_far(job: Job) -> Usage:
    """Of a job that is given up in the middle: its prompt is paid for, whatever has come back, and so is the file that
    its endpoint may make all the same."""
    return job.usage or (unheard_usage(job) if job.sent else Usage(0, 0))


def unheard_usage(job: Job) -> Usage:
    """Of a job whose endpoint had the order, and of which nobody will hear."""
    makes_file = job.completion.revision.output != Output.TEXT
    return Usage(guessed_tokens(job.sent), 0, files=int(makes_file), unheard=makes_file)


def identifying_names(model: LanguageModel, provider_model: str) -> list[str]:
    """What an answer must not say before the vote."""
    aliases = [alias for alias in model.aliases if isinstance(alias, str)]
    return [model.name, model.slug, model.organisation, provider_model.rstrip("/").split("/")[-1], *aliases]


def screen_of(
    revision: LanguageModelRevision, messages: Sequence[dict[str, str]], rule_set: RuleSet | None = None
) -> Screen:
    """The rules for an answer to these messages."""
    said = [message["content"] for message in messages if message["role"] == "user"]
    earlier = [message["content"] for message in messages if message["role"] == "system"]
    asked = Asked(
        prompt=said[-1] if said else "",
        instructions="\n".join([revision.system_prompt, *earlier, *said[:-1]]),
        accepts_cut=revision.accepts_cut,
    )
    names = identifying_names(revision.language_model, revision.provider_model)
    return Screen(names, asked, rule_book(rule_set.rules) if rule_set else NO_RULES)


def generation_request(job: Job, messages: Sequence[dict[str, str]], ref: ModelRef) -> GenerationRequest:
    """Raises ValueError for settings that no engine can obey, and PersonErased where a picture is gone."""
    revision = job.completion.revision
    if revision.output != Output.TEXT and revision.endpoint.backend == BackendKind.TRANSFORMERS:
        raise ValueError("in the worker's own process models answer with text alone")
    wanted = job.completion.drawn_with
    stops = wanted.pop("stop")
    pictures = pictures_of(messages)
    if pictures and revision.endpoint.backend == BackendKind.TRANSFORMERS:
        raise ValueError(f"in the worker's own process models read text alone, and so does {revision.provider_model}")
    chat = _with_system_prompt(messages, revision.system_prompt, pictures)
    job.sent = sum(len(message.content) for message in chat)
    job.sent += sum(message.picture is not None for message in chat) * PICTURE_TOKENS * CHARACTERS_PER_TOKEN
    return GenerationRequest(
        id=job.request_id,
        messages=chat,
        sampling=Sampling(
            **wanted,
            stop=tuple(str(stop) for stop in stops if stop),
            seed=job.completion.seed & LARGEST_SEED,
            logprobs=revision.language_model.keeps_logprobs,
        ),
        model=ref,
        output=revision.output,
        schema=job.completion.schema if revision.takes_schema else None,
    )


def pictures_of(messages: Sequence[dict[str, str]]) -> dict[str, Picture]:
    """By the names that the messages have for them. Raises PersonErased."""
    named = [message["picture"] for message in messages if "picture" in message]
    if not named:
        return {}
    files = read_personal_files(UUID(each) for each in named)
    pictures = {}
    for name in named:
        file = files.get(UUID(name))
        if file is None:
            raise PersonErased("the person whose picture it was has been erased")
        pictures[name] = Picture(file.content_type, file.content)
    return pictures


def measure_request(job: Job, messages: Sequence[dict[str, str]], ref: ModelRef) -> MeasureRequest:
    """Nothing is put before what is measured: a revision's system prompt is for models that write. Raises ValueError
    for a picture that the engine cannot look at, and PersonErased where it is gone."""
    shown = [shown_picture(message, job.completion.person_id) for message in messages]
    pictures = sum(picture is not None for picture in shown)
    if pictures and job.completion.revision.endpoint.backend == BackendKind.TRANSFORMERS:
        raise ValueError("in the worker's own process models read text alone")
    job.sent = sum(len(message["content"]) for message in messages) + pictures * PICTURE_TOKENS * CHARACTERS_PER_TOKEN
    chat = tuple(
        ChatMessage(message["role"], message["content"], picture)
        for message, picture in zip(messages, shown, strict=True)
    )
    return MeasureRequest(job.request_id, Task(job.completion.task), chat, ref)


def shown_picture(message: Mapping[str, str], person_id: UUID | None) -> Picture | None:
    """What a person added to their words, or a model's answer to this person that is a picture. Raises PersonErased."""
    if "picture" in message:
        return pictures_of([dict(message)])[message["picture"]]
    if "answer" not in message:
        return None
    file = CompletionFile.objects.filter(completion=UUID(message["answer"]), completion__person=person_id).first()
    try:
        content = media_path(file.stored).read_bytes() if file is not None else None
    except FileNotFoundError:
        content = None
    if content is None:
        raise PersonErased("the person whom it was made for has been erased")
    try:
        drawn = made_anew(content, "the answer")  # as large as every server takes
    except BadMedia as bad:
        raise ValueError(bad.reason) from bad
    return Picture(drawn.content_type, drawn.content)


def measured(job: Job, event: Measured) -> None:
    """Store the numbers, as `finish` does a text."""
    read = event.prompt_tokens if event.prompt_tokens is not None else guessed_tokens(job.sent)
    try:
        finish_measure(
            completion_id=job.id,
            lease_token=job.token,
            numbers=event.numbers,
            labels=event.labels,
            prompt_tokens=event.prompt_tokens,
            total_seconds=event.total_s,
            usage=Usage(read, 0),
            now=timezone.now(),
        )
    except PersonErased:
        fail(job, code="person_erased", message="the person whose words were measured was erased")


def _with_system_prompt(
    messages: Sequence[dict[str, str]], system_prompt: str, pictures: Mapping[str, Picture]
) -> tuple[ChatMessage, ...]:
    """The revision's system prompt comes first; one of the prompt's own joins it, since templates allow one."""
    chat = [
        ChatMessage(message["role"], message["content"], pictures.get(message.get("picture", "")))
        for message in messages
    ]
    if not system_prompt.strip():
        return tuple(chat)
    own = [chat.pop(0).content] if chat[0].role == "system" else []
    return (ChatMessage("system", "\n\n".join([system_prompt, *own])), *chat)


def finish(job: Job, event: Finished) -> None:
    """Store the text. When the person is gone, or the database refuses it, the completion fails instead."""
    first = event.first_token_s
    measures = Measures(
        prompt_tokens=event.prompt_tokens,
        completion_tokens=event.completion_tokens,
        first_token_seconds=first if first is None or math.isfinite(first) else None,
        total_seconds=event.total_s,
        logprobs=event.logprobs,
    )
    output = job.completion.revision.output
    if (event.file is None) != (output == Output.TEXT):
        fail(job, code="file_missing", message=f"{output} was asked for, and something else came")
        return
    try:
        with job.look.kept() if job.look else nullcontext() as file:
            finish_completion(
                completion_id=job.id,
                lease_token=job.token,
                text="" if file else job.screen.text,
                file=file,
                finish_reason=FinishReason(event.finish_reason.value),
                measures=measures,
                usage=_paid(job, file),
                now=timezone.now(),
                screen_version=None if file else SCREEN_VERSION,
                house_rules=broken(job),
            )
    except FileRefused as refused:
        fail(job, code="file_refused", message=str(refused))
    except PersonErased:
        fail(job, code="person_erased", message="the person this was written for was erased")


def _paid(job: Job, file: WrittenFile | None) -> Usage | None:
    used = job.usage
    return used if file is None or used is None else replace(used, seconds=file.seconds or 0.0)


def look_at_file(job: Job, event: Finished) -> None:
    """Begin to. What a person asked for is shown blind: nothing in it may tell one model from another."""
    output = job.completion.revision.output
    if event.file is not None and output != Output.TEXT:
        most = settings.MEDIA_FILE_MAX_MB * MEGA
        job.look = FileLook(event.file, output, most=most, uniform=job.completion.person_id is not None)


def fail(
    job: Job,
    *,
    code: str,
    message: str,
    retryable: bool = False,
    retry_after: float | None = None,
    unheard: bool = False,
) -> None:
    """With `unheard` its endpoint may have made the file that was asked for."""
    lost_file = unheard and job.sent > 0 and job.completion.revision.output != Output.TEXT
    fail_completion(
        completion_id=job.id,
        lease_token=job.token,
        code=code,
        message=message,
        retryable=retryable,
        retry_after=retry_after,
        usage=job.usage or (unheard_usage(job) if lost_file else None),
        now=timezone.now(),
        screen_version=SCREEN_VERSION if code in Rejection.values else None,
        house_rules=broken(job) if code == Rejection.MODERATED else None,
    )


def broken(job: Job) -> list[dict[str, Any]] | None:
    """The house rules that its text broke, as they are stored; None where there were none to break."""
    return [hit.as_data() for hit in job.screen.hits] if job.completion.rule_set_id else None


def fail_with(job: Job, error: GenerationError) -> None:
    fail(
        job,
        code=error.code.value,
        message=error.message,
        retryable=error.retryable,
        retry_after=error.retry_after_s,
        unheard=error.unheard,
    )
