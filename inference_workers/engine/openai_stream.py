"""Reading one streamed answer of an OpenAI-compatible endpoint, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import openai

from .protocol import ErrorCode, FinishReason, GenerationError, GenerationFailure, failure

_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}
_BUSY_STATUSES = {408, 409, 425, 429}
_CONTEXT_WORDS = ("context_length", "context length", "context size", "context_size", "maximum context")
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
            return Piece(_text(choice), _reason(choice), usage)
    return Piece(usage=usage)


def _text(choice: Any) -> str:
    delta = getattr(choice, "delta", None)
    content = getattr(delta, "content", None)
    if content is None:
        return ""
    if not isinstance(content, str):
        raise _nonsense("text that is no string")
    return content


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
    code = ErrorCode.ENDPOINT_RATE_LIMITED if status == 429 else ErrorCode.ENDPOINT_STATUS
    retryable = status in _BUSY_STATUSES or status >= 500
    wait = retry_after(error.response.headers) if retryable else None
    return GenerationFailure(GenerationError(code, f"the endpoint answered with status {status}", retryable, wait))


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
