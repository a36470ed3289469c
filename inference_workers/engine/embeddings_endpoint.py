"""Measures from an OpenAI-compatible address, several texts in one request: embeddings of POST /embeddings, classes of
POST /moderations. What has a picture is asked about alone: a list with a picture in it is one thing to sort."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import httpx

from .bounded_http import BoundedTransport, Call
from .measuring import Measure, Reading
from .openai_stream import endpoint_fault, refusal_of
from .protocol import ErrorCode, GenerationFailure, MeasureRequest, Task, failure
from .settings import EndpointSettings
from .text_stream import clean

BATCH = 64


def endpoint_measure(settings: EndpointSettings, http_client: httpx.Client) -> Measure:
    """What `MeasuringBackend` calls. `http_client` does all HTTP and stays its owner's to close."""

    def measure(requests: Sequence[MeasureRequest]) -> list[Reading | GenerationFailure]:
        if requests[0].task == Task.REWARD:
            text = "rewards have no settled address among servers: let the reward model run in the worker"
            raise failure(ErrorCode.PROMPT_INVALID, text)
        if requests[0].task == Task.CLASSES:
            return list(_classes(_ask(settings, http_client, requests, "moderations"), len(requests)))
        answer = _ask(settings, http_client, requests, "embeddings", encoding_format="float")
        return list(_readings(answer, len(requests)))

    return measure


def _ask(
    settings: EndpointSettings, http_client: httpx.Client, requests: Sequence[MeasureRequest], verb: str, **also: str
) -> Any:
    call = Call(total_s=settings.total_s, max_bytes=settings.max_bytes)
    timeout = httpx.Timeout(settings.idle_s, connect=settings.connect_s)
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    body = {
        **settings.extra_body,
        "model": requests[0].model.path,
        "input": _input(requests),
        **also,
    }
    try:
        with httpx.Client(
            transport=BoundedTransport(http_client, call), timeout=timeout, trust_env=False, headers=headers
        ) as client:
            answer = client.post(f"{settings.base_url.rstrip('/')}/{verb}", json=body)
            refusal = None if answer.is_success else refusal_of(answer.status_code, answer.text.lower())
            if refusal is not None:
                raise refusal
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                raise failure(ErrorCode.ENDPOINT_RATE_LIMITED, "the endpoint asks to wait (429)", retryable=True)
            if answer.status_code != httpx.codes.OK:
                text = f"the endpoint answered with status {answer.status_code}"
                raise failure(ErrorCode.ENDPOINT_STATUS, text, retryable=answer.status_code >= 500)
            return answer.json()
    except GenerationFailure:
        raise
    except (ValueError, RecursionError) as error:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint did not answer with JSON") from error
    except Exception as error:
        known = endpoint_fault(error)
        if known is None:
            text = f"the endpoint could not be asked: {type(error).__name__}"
            raise failure(ErrorCode.ENDPOINT_UNREACHABLE, text, retryable=True) from error
        raise known from error


def _input(requests: Sequence[MeasureRequest]) -> list[Any]:
    """Texts; or of the one request that has a picture its words, where it has any, and the picture, as parts."""
    picture = requests[0].messages[-1].picture
    texts = [clean(request.messages[-1].content) for request in requests]
    if picture is None:
        return texts
    words = [{"type": "text", "text": text} for text in texts if text.strip()]
    url = f"data:{picture.content_type};base64,{b64encode(picture.content).decode()}"
    return [*words, {"type": "image_url", "image_url": {"url": url}}]


def _readings(answer: Any, count: int) -> list[Reading]:
    """By the `index` of each, since servers need not keep the order."""
    try:
        rows = {int(row["index"]): row["embedding"] for row in answer["data"]}
        vectors = [tuple(float(number) for number in rows[place]) for place in range(count)]
        usage = answer.get("usage") or {}
        total = usage.get("prompt_tokens")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        text = f"the endpoint did not give a vector for each of {count} texts"
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, text) from error
    if len(rows) != count or len({len(vector) for vector in vectors}) != 1:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, f"the endpoint gave {len(rows)} vectors for {count} texts")
    # Told of all together, so each has its share, the first the rest.
    whole = total if type(total) is int and total >= 0 else None
    shares = (
        [None] * count if whole is None else [whole // count + (whole % count if n == 0 else 0) for n in range(count)]
    )
    return [Reading(vector, tokens) for vector, tokens in zip(vectors, shares, strict=True)]


def _classes(answer: Any, count: int) -> list[Reading]:
    """The scores of each text by category, in the order asked; servers tell no place and count no tokens here."""
    try:
        rows = [row["category_scores"] for row in answer["results"]]
        scores = [{str(label): float(score) for label, score in row.items()} for row in rows]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        text = f"the endpoint did not give scores by category for each of {count} texts"
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, text) from error
    if len(scores) != count:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, f"the endpoint gave {len(scores)} results for {count} texts")
    return [Reading(tuple(row.values()), None, tuple(row)) for row in scores]
