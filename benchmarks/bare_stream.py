"""Server-sent events and nothing else: equal pieces at equal times to whoever asks, as ASGI allows it at the least."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

TICK = 0.1
PIECE = 6
BODY = 'data: {{"a": "{0}", "b": "{0}"}}'.format("x" * PIECE)


async def application(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    loop = asyncio.get_running_loop()
    begun, number = loop.time(), 0
    while True:
        number += 1
        await asyncio.sleep(max(0.0, begun + number * TICK - loop.time()))
        event = f"id: 0.{number * PIECE}.bare\nevent: text\n{BODY}\n\n"
        await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
