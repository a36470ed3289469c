"""A reader of a battle's stream: what an EventSource and battle.js make of it, without a browser."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from django.test import Client

from arena.models import Battle
from arena.web.streams import application

SECONDS = 100.0


@dataclass
class Tab:
    """What one tab shows. It outlives its connections, as a tab does."""

    texts: dict[str, str] = field(default_factory=lambda: {"a": "", "b": ""})
    last_id: str = ""
    ending: str = ""
    # Every event's name, in order, and everything that was sent, headers included.
    events: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    _rest: str = ""

    def connect(self) -> None:
        """An event that was cut in the middle is none."""
        self._rest = ""

    def take(self, chunk: str) -> None:
        self.received.append(chunk)
        *whole, self._rest = (self._rest + chunk).split("\n\n")
        for block in whole:
            lines = dict(line.partition(": ")[::2] for line in block.split("\n") if not line.startswith(":"))
            self.last_id = lines.get("id", self.last_id)
            if "event" in lines:
                self._act(lines["event"], json.loads(lines["data"]))

    def _act(self, name: str, data: dict[str, str]) -> None:
        self.events.append(name)
        if name == "text":
            for side, text in data.items():
                self.texts[side] += text
        elif name == "restart":
            self.texts = {"a": "", "b": ""}
        elif name in ("ready", "void"):
            self.ending = name

    @property
    def is_over(self) -> bool:
        return bool(self.ending)


def scope_of(client: Client, battle: Battle, tab: Tab) -> dict:
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [(b"cookie", cookie.encode())]
    if tab.last_id:
        headers.append((b"last-event-id", tab.last_id.encode()))
    return {"type": "http", "method": "GET", "path": f"/streams/battles/{battle.pk}", "headers": headers}


async def follow(client: Client, battle: Battle, tab: Tab, *, until: Callable[[Tab], bool] = lambda tab: False) -> None:
    """One connection of the tab: to the turn's end, or until the network goes after a chunk, and what is underway.

    The server closing it is an end too, of the connection alone.
    """
    gone = asyncio.Event()

    async def receive() -> dict:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        if gone.is_set():
            return
        tab.received.append(str(message.get("headers", "")))
        tab.take(message.get("body", b"").decode())
        if tab.is_over or until(tab):
            gone.set()

    tab.connect()
    await asyncio.wait_for(application(scope_of(client, battle, tab), receive, send), SECONDS)


def follow_once(client: Client, battle: Battle, tab: Tab, **until: Callable[[Tab], bool]) -> Tab:
    asyncio.run(follow(client, battle, tab, **until))
    return tab
