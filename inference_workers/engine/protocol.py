"""The language every generation backend speaks: requests in, events out.

A backend holds a batch. Its owner, the pump, admits requests and calls `step` over and over; each step moves the
whole batch on and returns what happened. All calls come from one thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ModelRef:
    """One servable model. `path` is a folder for the transformers backend and the name the endpoint knows for the
    OpenAI one; `revision` tells two states of the same path apart and has no other meaning."""

    path: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that stands with a message: a JPEG or PNG of bounded size."""

    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """`role` is "system", "user" or "assistant". Only a user's message has a picture."""

    role: str
    content: str
    picture: Picture | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. Temperature 0 takes the likeliest token and reads no seed; `top_k` 0, `top_p` 1 and
    `repetition_penalty` 1 switch those off. The text ends before the first of the `stop` strings. `logprobs` asks for
    the log-probabilities of what was drawn."""

    temperature: float = 0.7
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 256
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    logprobs: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.temperature <= 100.0:
            raise ValueError(f"temperature must lie in 0..100, got {self.temperature}")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must lie in (0, 1], got {self.top_p}")
        if self.top_k < 0:
            raise ValueError(f"top_k must not be negative, got {self.top_k}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")
        if not 0.0 < self.repetition_penalty <= 100.0:
            raise ValueError(f"repetition_penalty must lie in (0, 100], got {self.repetition_penalty}")
        if any(not text for text in self.stop):
            raise ValueError("a stop string must not be empty")


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One completion wanted of `model`. A system prompt is the first of `messages`. `id` names the request in every
    event and must differ from those of all requests the backend still holds. `output` is "text", or "image", "audio" or
    "video" where a file is wanted. `schema` is a JSON schema that the text has to keep where the backend can see to it,
    so that whoever asked reads what comes with care all the same."""

    id: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling
    model: ModelRef
    output: str = "text"
    schema: Mapping[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.messages:
            raise ValueError("a generation request needs at least one message")


class Task(StrEnum):
    """What a model is for: it writes, gives a text a vector, gives a chat one number, or sorts a text into classes."""

    TEXT = "text"
    EMBEDDING = "embedding"
    REWARD = "reward"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """Numbers wanted of `model`: the embedding of the one message's content, its scores by class, or the reward of the
    chat. Only what is sorted into classes may have a picture, or be one alone."""

    id: str
    task: Task
    messages: tuple[ChatMessage, ...]
    model: ModelRef

    def __post_init__(self) -> None:
        if self.task == Task.TEXT or not self.messages:
            raise ValueError("a measure is of at least one message, by a model that measures")


class FinishReason(StrEnum):
    """STOP: the model, or a stop string, ended the text. LENGTH: `max_tokens` did."""

    STOP = "stop"
    LENGTH = "length"


class ErrorCode(StrEnum):
    """Stable names: they are stored, counted and shown to administrators."""

    CANCELLED = "cancelled"
    CONTEXT_TOO_LONG = "context_too_long"
    ENDPOINT_FILTERED = "endpoint_filtered"
    ENDPOINT_KEY_REFUSED = "endpoint_key_refused"
    ENDPOINT_NO_CREDIT = "endpoint_no_credit"
    ENDPOINT_OVERSIZED = "endpoint_oversized"
    ENDPOINT_PROTOCOL = "endpoint_protocol"
    ENDPOINT_RATE_LIMITED = "endpoint_rate_limited"
    ENDPOINT_STATUS = "endpoint_status"
    ENDPOINT_TIMEOUT = "endpoint_timeout"
    ENDPOINT_TRUNCATED = "endpoint_truncated"
    ENDPOINT_UNREACHABLE = "endpoint_unreachable"
    INTERNAL = "internal"
    MODEL_LOAD = "model_load"
    OUT_OF_MEMORY = "out_of_memory"
    PROMPT_INVALID = "prompt_invalid"


@dataclass(frozen=True, slots=True)
class GenerationError:
    """Why a request failed. `message` is fit for an administrator: no prompt, no key, no body of a remote answer.
    `retryable` says whether the same request may succeed later, `retry_after_s` how long the endpoint asked to wait.
    `unheard` says of a file that the endpoint had the order and did not refuse it: it may have been made, and be paid.
    """

    code: ErrorCode
    message: str
    retryable: bool = False
    retry_after_s: float | None = None
    unheard: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of a request; never empty."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole text of a request: exactly the concatenation of its deltas. Token counts are None where an endpoint
    tells none. Times are seconds since `admit`; `first_token_s` is None if no token came before the end. Where a file
    was wanted `file` is its bytes as they came, which nobody has looked at, and the text is empty.

    `logprobs`, where they were asked for, are the natural logarithms of the model's own probability of each token that
    it wrote, before penalty, temperature and filters, in order and with the token that ended the text; an endpoint may
    leave that one out, or know none of them, which is None."""

    id: str
    text: str
    finish_reason: FinishReason
    prompt_tokens: int | None
    completion_tokens: int | None
    first_token_s: float | None
    total_s: float
    logprobs: tuple[float, ...] | None = None
    file: bytes | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The end of a request that produced no completion; deltas sent before are void."""

    id: str
    error: GenerationError


@dataclass(frozen=True, slots=True)
class Measured:
    """The numbers of a measure, all finite: an embedding of length 1 by its sum of squares, a reward as the only one,
    or a score between 0 and 1 for each of the classes that `labels` names in the same order."""

    id: str
    numbers: tuple[float, ...]
    prompt_tokens: int | None
    total_s: float
    labels: tuple[str, ...] = ()


Event = Delta | Finished | Failed | Measured


class BackendFull(Exception):
    """All of the backend's capacity is in use; admit again once `active` has fallen."""


class DuplicateRequest(ValueError):
    """The backend still holds a request of this id."""


class GenerationFailure(Exception):
    """Raised inside a backend to fail one request; never leaves `step`."""

    def __init__(self, error: GenerationError) -> None:
        super().__init__(error.message)
        self.error = error


def failure(
    code: ErrorCode, message: str, *, retryable: bool = False, retry_after_s: float | None = None
) -> GenerationFailure:
    """The exception that carries this error."""
    return GenerationFailure(GenerationError(code, message, retryable, retry_after_s))


# What a tokenizer, a template or a model may raise for a fault of its own. Not Exception: a task's time limit arrives
# as an exception in the middle of a step and must get through to whoever set it.
OWN_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Backend(Protocol):
    """Generates completions, several at a time.

    Every admitted request ends with exactly one `Finished` or `Failed`, after which its id is free again. Text holds
    no NUL, no lone surrogate, no half of a character, no special token and no stop string.
    """

    @property
    def capacity(self) -> int:
        """How many requests may be held at once."""
        ...

    @property
    def active(self) -> int:
        """How many requests are held: admitted and not yet ended."""
        ...

    def admit(self, request: GenerationRequest) -> None:
        """Take a request on, without waiting for anything. Faults of the request or its model come as `Failed` from
        a later step. Raises BackendFull and DuplicateRequest."""
        ...

    def step(self, timeout: float) -> list[Event]:
        """Advance the batch by one step, or wait at most about `timeout` seconds for something to do. Never raises
        for the fault of a request; other requests go on."""
        ...

    def cancel(self, request_id: str) -> None:
        """End a request: a later step says `Failed` with code "cancelled", and nothing else of it. An unknown id is
        ignored, since the request may just have ended."""
        ...

    def close(self) -> None:
        """Drop all requests without events and free models, threads and memory. Calling it again does nothing; any
        other call afterwards is an error."""
        ...
