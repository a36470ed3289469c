"""Run in a process of its own: answer every request given on standard input, and tell which modules that loaded.

The input is JSON: `requests` as [method, address, form, cookies], `streams` as [address, cookies], and `planted`,
whether one more address stands in the resolver whose view imports torch.
"""

import asyncio
import importlib
import json
import sys
from typing import Any

import django

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import get_resolver, path  # noqa: E402

from arena.web.streams import application as streams  # noqa: E402

HEAVY = ("torch", "transformers")


def planted(request: HttpRequest) -> HttpResponse:
    importlib.import_module("torch")
    return HttpResponse()


client = Client(headers={"accept": "text/html,*/*;q=0.8"}, raise_request_exception=False)


def ask(method: str, address: str, form: dict[str, str], cookies: dict[str, str]) -> int:
    client.cookies.clear()
    client.cookies.load(cookies)
    return client.post(address, form).status_code if method == "POST" else client.get(address).status_code


def listen(address: str, cookies: dict[str, str]) -> int:
    """The status of a stream, left after its first words."""
    sent: list[dict[str, Any]] = []
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    scope = {"type": "http", "method": "GET", "path": address, "headers": [(b"cookie", cookie.encode())]}

    async def run() -> None:
        heard = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await heard.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "http.response.body":
                heard.set()

        await asyncio.wait_for(streams(scope, receive, send), 20)

    asyncio.run(run())
    return int(sent[0]["status"])


def main() -> None:
    wanted = json.load(sys.stdin)
    get_wsgi_application()
    if wanted["planted"]:
        get_resolver().url_patterns.append(path("planted", planted))
    answered = [ask(*request) for request in wanted["requests"]]
    listened = [listen(*stream) for stream in wanted["streams"]]
    loaded = sorted(name for name in sys.modules if name.split(".")[0] in HEAVY)
    json.dump({"answered": answered, "listened": listened, "loaded": loaded}, sys.stdout)


main()
