"""The browser's side: one XREAD for as many completions as are being watched."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings

from inference_workers.streams.events import START, StreamEvent, parse, stream_key, valid_cursor

ENTRIES_PER_READ = 500


def async_client() -> redis.asyncio.Redis:
    """A client for blocking reads, to be shared by all readers of one event loop and closed with `aclose()`.

    No socket timeout: redis-py's own would cut a blocking read short. A blocked read holds one connection.
    """
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=None, socket_connect_timeout=2)


async def read_many(client: redis.asyncio.Redis, cursors: Mapping[UUID, str], *, block_ms: int) -> list[StreamEvent]:
    """What follows each completion's cursor, in order within a completion; empty after `block_ms` without news.

    A cursor is START, or the `entry_id` of the last event seen. The end of a stream can be missing, since Redis may
    have been down or flushed: after some seconds without news a reader looks at the completion's row. Raises
    redis.RedisError.
    """
    if not cursors:
        return []
    keys = {stream_key(completion_id): completion_id for completion_id in cursors}
    places: dict[Any, Any] = {key: valid_cursor(cursors[completion_id]) for key, completion_id in keys.items()}
    reply = await client.xread(places, count=ENTRIES_PER_READ, block=max(1, block_ms))
    return _events(reply, keys)


def read_so_far(client: redis.Redis, completion_id: UUID, *, after: str = START) -> list[StreamEvent]:
    """Everything there is behind `after`, without waiting."""
    key = stream_key(completion_id)
    reply = client.xread({key: valid_cursor(after)})
    return _events(reply, {key: completion_id})


def _events(reply: Any, keys: Mapping[str, UUID]) -> list[StreamEvent]:
    # A list of pairs under RESP2, a mapping of lists under RESP3.
    pairs = reply.items() if isinstance(reply, Mapping) else (reply or [])
    events = []
    for raw_key, entries in pairs:
        completion_id = keys[raw_key.decode() if isinstance(raw_key, bytes) else raw_key]
        if isinstance(reply, Mapping):
            entries = [entry for batch in entries for entry in batch]
        events += [parse(completion_id, number, raw) for number, raw in entries]
    return events
