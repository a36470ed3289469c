"""Limits on what one remote answer may cost: time in all, silence, bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx

from .protocol import ErrorCode, failure

_OWN_HEADERS = {"accept", "accept-encoding", "connection", "host", "user-agent"}


class Call:
    """One request to an endpoint and its limits. `cancel` may be called from another thread; the reading thread ends
    at the next bytes, or when the endpoint has been silent for too long."""

    def __init__(self, *, total_s: float, max_bytes: int) -> None:
        self.deadline = time.monotonic() + total_s
        self._total_s = total_s
        self._max_bytes = max_bytes
        self._read = 0
        self._cancelled = threading.Event()
        # Whether the endpoint began to answer; with what, whoever reads the answer knows.
        self.answered = False

    def cancel(self) -> None:
        self._cancelled.set()

    def check(self, more: int = 0) -> None:
        """Count bytes that were read. Raises GenerationFailure past any limit."""
        self._read += more
        if self._cancelled.is_set():
            raise failure(ErrorCode.CANCELLED, "cancelled")
        if time.monotonic() > self.deadline:
            text = f"the endpoint had not finished after {self._total_s:g} s"
            raise failure(ErrorCode.ENDPOINT_TIMEOUT, text, retryable=True)
        if self._read > self._max_bytes:
            raise failure(ErrorCode.ENDPOINT_OVERSIZED, f"the endpoint sent more than {self._max_bytes} bytes")


class BoundedTransport(httpx.BaseTransport):
    """Sends through another client and reads the answer, error pages included, within a call's limits."""

    def __init__(self, client: httpx.Client, call: Call) -> None:
        self._client = client
        self._call = call

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._call.check()
        for name in [name for name in request.headers if name.startswith("x-stainless")]:
            del request.headers[name]  # what the endpoint's operator need not know about this machine
        for name, value in self._client.headers.items():
            if name.lower() not in _OWN_HEADERS:
                request.headers.setdefault(name, value)
        request.headers["accept-encoding"] = "identity"
        request.headers["user-agent"] = "Cardinal"
        answer = self._client.send(request, stream=True, follow_redirects=False)
        self._call.answered = True
        if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
            answer.close()
            raise failure(ErrorCode.ENDPOINT_PROTOCOL, "the endpoint sent packed data, which was not asked for")
        return httpx.Response(answer.status_code, headers=answer.headers, stream=_BoundedBody(answer, self._call))

    def close(self) -> None:
        """The client belongs to someone else."""


class _BoundedBody(httpx.SyncByteStream):
    def __init__(self, answer: httpx.Response, call: Call) -> None:
        self._answer = answer
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        for part in self._answer.iter_raw():
            self._call.check(len(part))
            yield part

    def close(self) -> None:
        self._answer.close()
