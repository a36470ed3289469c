"""Reading one streamed answer of an OpenAI-compatible endpoint, whatever it holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import openai

from .protocol import ErrorCode, FinishReason, GenerationError, GenerationFailure, failure

_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}
_BUSY_STATUSES = {408, 409, 425, 429}
_CONTEXT_WORDS = ("context_length", "context length", "context size", "context_size", "maximum context")
_CREDIT_WORDS = ("insufficient_quota", "insufficient quota", "insufficient_balance", "insufficient balance")
_FILTER_WORDS = ("moderation", "flagged", "content_policy", "content policy", "content_filter", "safety")
_HEADROOM = 32  # characters that a token may stand for, far above any real average


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the endpoint tells them; None where it does not, or tells nonsense."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk says: more text, the end, the usage."""

    text: str = ""
    reason: FinishReason | None = None
    usage: Usage | None = None
    # Of the tokens in it; None where the endpoint tells none, or nonsense.
    logprobs: tuple[float, ...] | None = None


@dataclass(slots=True)
class Told:
    """Log-probabilities as they come. Those of a part of a text alone would mislead, so a piece of text without any
    makes all of them unknown."""

    _values: list[float] = field(default_factory=list)
    _gaps: bool = False

    def take(self, piece: Piece) -> None:
        if piece.logprobs:
            self._values += piece.logprobs
        elif piece.text:
            self._gaps = True

    @property
    def all(self) -> tuple[float, ...] | None:
        return None if self._gaps or not self._values else tuple(self._values)


def read_pieces(chunks: Iterable[Any], *, max_tokens: int) -> Iterator[Piece]:
    """The pieces of a stream up to its end. Raises GenerationFailure for one that is no such stream, that ends
    without a reason, or whose text is longer than `max_tokens` could be. What follows the end, but for the usage, is
    ignored."""
    length = 0
    seen = ended = False
    source = iter(chunks)
    while True:
        try:
            chunk = next(source)
        except StopIteration:
            break
        except Exception as error:
            if ended:
                return
            raise _read_fault(error) from error
        seen = True
        piece = _piece(chunk, ended=ended)
        length += len(piece.text)
        if length > _HEADROOM * (max_tokens + _HEADROOM):
            raise failure(ErrorCode.ENDPOINT_OVERSIZED, f"the endpoint wrote on past {max_tokens} tokens")
        ended = ended or piece.reason is not None
        yield piece
    if not seen:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint's answer is no stream of completion chunks")
    if not ended:
        raise failure(ErrorCode.ENDPOINT_TRUNCATED, "the endpoint's answer broke off", retryable=True)


def _piece(chunk: Any, *, ended: bool) -> Piece:
    usage = _usage(getattr(chunk, "usage", None))
    choices = getattr(chunk, "choices", None)
    if ended:
        return Piece(usage=usage)
    if not isinstance(choices, list):
        if usage is not None and choices is None:
            return Piece(usage=usage)
        raise _nonsense("a chunk without choices")
    for choice in choices:
        if getattr(choice, "index", 0) in (0, None):
            return Piece(_text(choice), _reason(choice), usage, _logprobs(choice))
    return Piece(usage=usage)


def _text(choice: Any) -> str:
    delta = getattr(choice, "delta", None)
    content = getattr(delta, "content", None)
    if content is None:
        return ""
    if not isinstance(content, str):
        raise _nonsense("text that is no string")
    return content


def _logprobs(choice: Any) -> tuple[float, ...] | None:
    told = getattr(getattr(choice, "logprobs", None), "content", None)
    if not isinstance(told, list):
        return None
    values = [getattr(token, "logprob", None) for token in told]
    # Rounding may lead above 0.
    plausible = [value for value in values if isinstance(value, int | float) and -math.inf < value <= 1e-3]
    return tuple(min(float(value), 0.0) for value in plausible) if len(plausible) == len(values) else None


def _reason(choice: Any) -> FinishReason | None:
    reason = getattr(choice, "finish_reason", None)
    if reason is None or reason == "":
        return None
    if reason == "content_filter":
        raise failure(ErrorCode.ENDPOINT_FILTERED, "the endpoint's content filter stopped the answer")
    if not isinstance(reason, str) or reason not in _REASONS:
        raise _nonsense("an unknown reason to finish")
    return _REASONS[reason]


def _usage(usage: Any) -> Usage | None:
    if usage is None:
        return None
    return Usage(_count(getattr(usage, "prompt_tokens", None)), _count(getattr(usage, "completion_tokens", None)))


def _count(value: Any) -> int | None:
    plausible = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if plausible else None


def _nonsense(what: str) -> GenerationFailure:
    return failure(ErrorCode.ENDPOINT_PROTOCOL, f"the endpoint sent {what}")


def _read_fault(error: Exception) -> GenerationFailure:
    """What went wrong between two chunks. Broken JSON, bytes that are no UTF-8 and numbers without end are all
    ValueErrors; nesting without end is a RecursionError."""
    known = endpoint_fault(error)
    if known is not None:
        return known
    if isinstance(error, ValueError | RecursionError | TypeError | AttributeError | LookupError):
        return _nonsense("a chunk that is not the JSON of a completion")
    raise error


def endpoint_fault(error: BaseException) -> GenerationFailure | None:
    """The failure that an error of the client means, or None if it is not the endpoint's. An error keeps what caused
    it, so that the failure of our own limits is found below the client's wrapping."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, GenerationFailure):
            return cause
        if isinstance(cause, openai.APIStatusError):
            return _status_fault(cause)
        if isinstance(cause, httpx.TimeoutException):
            return failure(ErrorCode.ENDPOINT_TIMEOUT, "the endpoint was silent for too long", retryable=True)
        if isinstance(cause, httpx.RemoteProtocolError):
            return failure(ErrorCode.ENDPOINT_TRUNCATED, "the endpoint's answer broke off", retryable=True)
        if isinstance(cause, httpx.TransportError):
            return failure(
                ErrorCode.ENDPOINT_UNREACHABLE,
                f"the endpoint was not reached or not read: {cause}"[:300],
                retryable=True,
            )
        cause = cause.__cause__
    if isinstance(error, openai.APIConnectionError):
        return failure(ErrorCode.ENDPOINT_UNREACHABLE, "the endpoint was not reached", retryable=True)
    if isinstance(error, openai.APIError):
        return failure(ErrorCode.ENDPOINT_STATUS, "the endpoint reported an error in its stream", retryable=True)
    return None


def _status_fault(error: openai.APIStatusError) -> GenerationFailure:
    status = error.status_code
    if status in (400, 413, 422) and any(word in str(error.body).lower() for word in _CONTEXT_WORDS):
        return failure(ErrorCode.CONTEXT_TOO_LONG, "the endpoint says that the prompt exceeds its context")
    refusal = refusal_of(status, str(error.body).lower())
    if refusal is not None:
        return refusal
    code = ErrorCode.ENDPOINT_RATE_LIMITED if status == 429 else ErrorCode.ENDPOINT_STATUS
    retryable = status in _BUSY_STATUSES or status >= 500
    wait = retry_after(error.response.headers) if retryable else None
    return GenerationFailure(GenerationError(code, f"the endpoint answered with status {status}", retryable, wait))


def refusal_of(status: int, body: str) -> GenerationFailure | None:
    """What no further request changes until an operator acts. Some providers answer 403 to a prompt that their filter
    refuses, and 429 where the credit is used up: both say so."""
    if status == 402 or (status == 429 and any(words in body for words in _CREDIT_WORDS)):
        return failure(ErrorCode.ENDPOINT_NO_CREDIT, f"the endpoint says that there is no credit left ({status})")
    if status == 403 and any(words in body for words in _FILTER_WORDS):
        return failure(ErrorCode.ENDPOINT_FILTERED, "the endpoint's content filter refused the prompt")
    if status in (401, 403):
        return failure(ErrorCode.ENDPOINT_KEY_REFUSED, f"the endpoint refused the key ({status})")
    return None


def retry_after(headers: Any) -> float | None:
    """Seconds that the endpoint asks to wait, from a number or a date beside the endpoint's own date."""
    value = str(headers.get("retry-after", "")).strip()
    if value.isascii() and value.isdigit() and len(value) < 8:
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(str(headers.get("date", "")))
    except (TypeError, ValueError):
        return None
    return max(wait.total_seconds(), 0.0)
