"""`python -m tests.faults.unguarded_worker worker …`: a generation worker that takes whatever an endpoint sends."""

import sys
from typing import Any

import httpx
from celery.bin.celery import main

from config import starting
from inference_workers.engine.bounded_http import BoundedTransport

plain = httpx.Client()


def take_everything(transport: Any, request: httpx.Request) -> httpx.Response:
    """Neither counted nor refused when it is packed, nor by the guarded client below."""
    answer = plain.send(request, stream=True)
    return httpx.Response(answer.status_code, headers=answer.headers, stream=_Unbounded(answer))


class _Unbounded(httpx.SyncByteStream):
    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Any:
        return self._answer.iter_raw()


if __name__ == "__main__":
    starting.exit_if_unsafe = lambda: None
    BoundedTransport.handle_request = take_everything  # type: ignore[method-assign]
    sys.argv[0] = "celery"
    main()
