"""Pictures, sounds and films from an OpenAI-compatible address, as bytes that nobody has looked at yet.

Pictures come from `images/generations` as base64, sounds from `audio/speech`, films from `videos`: a job is made, asked
about until it is done, and its content is read. That is how OpenAI and vLLM-Omni have it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from dataclasses import replace
from typing import Any

import httpx

from .bounded_http import BoundedTransport, Call
from .openai_stream import endpoint_fault, retry_after
from .protocol import ErrorCode, GenerationError, GenerationFailure, GenerationRequest, failure
from .settings import EndpointSettings
from .text_stream import clean

POLL_S = 1.0
_JOB = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_GOES_ON = frozenset({"queued", "pending", "in_progress", "processing", "running"})
_BUSY_STATUSES = frozenset({408, 409, 425, 429})

# Errors of a request that was on its way; before those nobody was reached.
_SENT = (httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError)


class _Refused(GenerationFailure):
    """The endpoint says itself that no file was made; nobody is paid for it."""


def fetch_file(
    request: GenerationRequest, *, settings: EndpointSettings, http_client: httpx.Client, call: Call
) -> bytes:
    """What the address answers with. Raises GenerationFailure, whose error is `unheard` unless the endpoint was never
    reached, or refused."""
    try:
        return _fetched(request, settings, http_client, call)
    except _Refused:
        raise
    except (GenerationFailure, httpx.HTTPError) as error:
        known = endpoint_fault(error)
        if known is None:
            raise
        raise GenerationFailure(replace(known.error, unheard=call.answered or isinstance(error, _SENT))) from error


def _fetched(request: GenerationRequest, settings: EndpointSettings, http_client: httpx.Client, call: Call) -> bytes:
    with httpx.Client(
        base_url=settings.base_url.rstrip("/") + "/",
        headers={"Authorization": f"Bearer {settings.api_key or 'none'}"},
        timeout=httpx.Timeout(settings.idle_s, connect=settings.connect_s),
        transport=BoundedTransport(http_client, call),
        trust_env=False,
    ) as client:
        if request.output == "image":
            return _picture(client, request, settings)
        if request.output == "audio":
            return _sound(client, request, settings)
        return _film(client, request, settings, call)


def prompt_of(request: GenerationRequest) -> str:
    """These addresses take one text: instructions first, then what was said last."""
    told = [message.content for message in request.messages if message.role == "system"]
    return clean("\n\n".join([*told, request.messages[-1].content]))


def _body(own: dict[str, Any], settings: EndpointSettings) -> dict[str, Any]:
    """A null in what is sent along takes a word out, for servers that refuse it."""
    return {name: value for name, value in {**own, **settings.extra_body}.items() if value is not None}


def _picture(client: httpx.Client, request: GenerationRequest, settings: EndpointSettings) -> bytes:
    own = {"model": request.model.path, "prompt": prompt_of(request), "n": 1, "response_format": "b64_json"}
    answer = _json(_sent(client.post("images/generations", json=_body(own, settings))))
    data = answer.get("data")
    first = data[0] if isinstance(data, list) and data else None
    if not isinstance(first, dict):
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint answered without a picture")
    if not isinstance(first.get("b64_json"), str):
        text = "the endpoint answered without b64_json; a picture behind an address is not fetched"
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, text)
    try:
        return base64.b64decode(first["b64_json"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint's picture is not base64") from error


def _sound(client: httpx.Client, request: GenerationRequest, settings: EndpointSettings) -> bytes:
    own = {
        "model": request.model.path,
        "input": request.messages[-1].content,
        "voice": "alloy",
        "response_format": "wav",
    }
    return _content(_sent(client.post("audio/speech", json=_body(own, settings))))


def _film(client: httpx.Client, request: GenerationRequest, settings: EndpointSettings, call: Call) -> bytes:
    own = {"model": request.model.path, "prompt": prompt_of(request)}
    # As a form, which is what every such server takes.
    form = {name: (None, str(value).encode()) for name, value in _body(own, settings).items()}
    job = _json(_sent(client.post("videos", files=form)))
    name = job.get("id")
    if not isinstance(name, str) or not _JOB.fullmatch(name) or set(name) == {"."}:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint answered without the id of a job")
    while job.get("status") in _GOES_ON:
        call.check()
        time.sleep(POLL_S)
        job = _json(_sent(client.get(f"videos/{name}")))
    if job.get("status") != "completed":
        raise _Refused(GenerationError(ErrorCode.ENDPOINT_STATUS, "the endpoint says that the film failed"))
    return _content(_sent(client.get(f"videos/{name}/content")))


def _sent(answer: httpx.Response) -> httpx.Response:
    status = answer.status_code
    if status == httpx.codes.OK or (status in (201, 202) and answer.request.method == "POST"):
        return answer
    code = ErrorCode.ENDPOINT_RATE_LIMITED if status == 429 else ErrorCode.ENDPOINT_STATUS
    retryable = status in _BUSY_STATUSES or status >= 500
    wait = retry_after(answer.headers) if retryable else None
    error = GenerationError(code, f"the endpoint answered with status {status}", retryable, wait)
    # A status that refuses the order; one of a question about a job that was taken on says nothing of the film.
    raise (_Refused if answer.request.method == "POST" else GenerationFailure)(error)


def _content(answer: httpx.Response) -> bytes:
    if not answer.content:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint answered with an empty file")
    return answer.content


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint answered with what is no JSON") from error
    if not isinstance(found, dict):
        raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint answered with JSON that is no object")
    return found
