"""Two ASGI applications: `application` serves static files, pages and streams on one port, `streams` the streams alone.

`manage.py up` runs the first; the compose file runs pages under WSGI-style workers and the second beside them,
with one proxy before both, so that a slow page never holds a stream.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.asgi import get_asgi_application
from servestatic import ServeStaticASGI

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

site = get_asgi_application()

from arena.web.streams import application as arena_streams  # noqa: E402  (needs the apps loaded)
from config.starting import exit_if_unsafe  # noqa: E402
from config.static_files import options  # noqa: E402

exit_if_unsafe()

pages = ServeStaticASGI(site, **options())

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"].startswith("/streams/"):
        await arena_streams(scope, receive, send)
    else:
        await pages(scope, receive, send)


async def streams(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await arena_streams(scope, receive, send)
