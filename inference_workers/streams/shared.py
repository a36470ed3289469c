"""Many readers, one XREAD: three hundred open battles cost Redis one connection and one command at a time."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

import redis
import redis.asyncio

from inference_workers.streams.events import StreamEvent, place, valid_cursor
from inference_workers.streams.reader import async_client, read_many

# How long one XREAD waits, and so how long a reader that comes during it waits to be let in.
BLOCK_MS = 20
# A Redis that stands still keeps nobody waiting for longer.
PATIENCE_SECONDS = 2.0


@dataclass(eq=False)
class _Waiter:
    cursors: dict[UUID, str]
    until: float
    result: "asyncio.Future[list[StreamEvent]]"


class SharedReader:
    """`read_many` for all readers of one event loop. Readers of the same completion may stand at different places."""

    def __init__(self) -> None:
        self._waiters: set[_Waiter] = set()
        self._task: asyncio.Task[None] | None = None
        self._client: redis.asyncio.Redis | None = None

    async def read_many(self, cursors: Mapping[UUID, str], *, block_ms: int) -> list[StreamEvent]:
        """As `streams.read_many`, except that it may come some 20 ms later. Raises redis.RedisError."""
        if not cursors:
            return []
        loop = asyncio.get_running_loop()
        places = {completion_id: valid_cursor(cursor) for completion_id, cursor in cursors.items()}
        waiter = _Waiter(places, time.monotonic() + block_ms / 1000, loop.create_future())
        self._waiters.add(waiter)
        if self._task is None:
            self._task = loop.create_task(self._serve())
        try:
            return await waiter.result
        finally:
            self._waiters.discard(waiter)

    async def aclose(self) -> None:
        """Close the connection; the next read opens another."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _serve(self) -> None:
        """Read for whoever waits, and end when nobody does."""
        try:
            while self._waiters:
                await self._read_once()
        finally:
            # Nothing awaits between the last look at the waiters and this: whoever comes now starts the next.
            self._task = None
            for waiter in self._waiters:
                if not waiter.result.done():
                    waiter.result.set_exception(redis.ConnectionError("the shared reader ended"))

    async def _read_once(self) -> None:
        serving = set(self._waiters)
        if self._client is None:
            self._client = async_client()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                events = await read_many(self._client, _earliest(serving), block_ms=BLOCK_MS)
        except (redis.RedisError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                # Its reply may still come; another connection must not take it for its own.
                await self.aclose()
                error = redis.TimeoutError("Redis stands still")
            for waiter in serving:
                if not waiter.result.done():
                    waiter.result.set_exception(error)
            return
        news: dict[UUID, list[StreamEvent]] = {}
        for event in events:
            news.setdefault(event.completion_id, []).append(event)
        now = time.monotonic()
        for waiter in serving:
            mine = [
                event
                for completion_id, cursor in waiter.cursors.items()
                for event in news.get(completion_id, [])
                if place(event.entry_id) > place(cursor)
            ]
            if (mine or now >= waiter.until) and not waiter.result.done():
                waiter.result.set_result(mine)
                self._waiters.discard(waiter)


_readers: "WeakKeyDictionary[asyncio.AbstractEventLoop, SharedReader]" = WeakKeyDictionary()


def shared_reader() -> SharedReader:
    """The one reader of the running event loop."""
    return _readers.setdefault(asyncio.get_running_loop(), SharedReader())


def _earliest(waiters: set[_Waiter]) -> dict[UUID, str]:
    """From where to read each completion so that nobody misses anything."""
    earliest: dict[UUID, str] = {}
    for waiter in waiters:
        for completion_id, cursor in waiter.cursors.items():
            earliest[completion_id] = min(earliest.get(completion_id, cursor), cursor, key=place)
    return earliest
