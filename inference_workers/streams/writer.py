"""The worker's side: text goes out in pieces of some tens of milliseconds, and no failure of Redis stops it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from inference_workers.streams.events import (
    END_SEQUENCE,
    MAX_ENTRIES,
    SECONDS_KEPT,
    Kind,
    entry_id,
    fields,
    stream_key,
)

log = structlog.get_logger(__name__)


def sync_client() -> redis.Redis:
    """A client that gives up within a second: whoever writes to a stream has better things to do than wait."""
    return _client_of(settings.REDIS_URL)


@lru_cache(maxsize=4)
def _client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))


@dataclass
class _Lane:
    attempt: int
    sequence: int = 0
    text: list[str] = field(default_factory=list)
    # Entries with their final ids that Redis has not confirmed.
    pending: list[tuple[str, dict[Any, Any]]] = field(default_factory=list)

    def close_text(self) -> None:
        if self.text:
            self.put(Kind.DELTA, "".join(self.text))
            self.text.clear()

    def put(self, kind: Kind, text: str = "") -> None:
        self.sequence += 1
        self.pending.append((entry_id(self.attempt, self.sequence), fields(kind, text)))


class StreamWriter:
    """Writes many completions' streams from one thread, all of them in one round trip per `interval` seconds.

    While Redis is away the entries wait here and go out when it is back.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        interval: float = 0.04,
        pause: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._interval = interval
        self._pause = pause
        self._clock = clock
        self._lanes: dict[UUID, _Lane] = {}
        self._due_at = 0.0
        self._down = False

    def begin(self, completion_id: UUID, attempt: int) -> None:
        """Open a completion's lane. From the second attempt on, its readers are told to forget the first one's text."""
        lane = self._lanes[completion_id] = _Lane(attempt)
        if attempt > 1:
            lane.put(Kind.RESET)

    def add(self, completion_id: UUID, text: str) -> None:
        if text:
            self._lanes[completion_id].text.append(text)

    def reset(self, completion_id: UUID) -> None:
        """What was written so far is no part of the text."""
        lane = self._lanes[completion_id]
        lane.text.clear()
        lane.put(Kind.RESET)

    def forget(self, completion_id: UUID) -> None:
        """Close the lane; entries that were not flushed are dropped."""
        self._lanes.pop(completion_id, None)

    def flush(self, *, now: bool = False) -> None:
        """Send what is there if it is time, or `now`. Never raises for a fault of Redis."""
        if self._clock() < self._due_at and (self._down or not now):
            return
        waiting = [(key, lane) for key, lane in self._lanes.items() if lane.text or lane.pending]
        if not waiting:
            return
        self._due_at = self._clock() + self._interval
        for _, lane in waiting:
            lane.close_text()
        try:
            self._send(waiting)
            self._down = False
        except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError) as error:
            self._due_at = self._clock() + self._pause
            if not self._down:
                log.warning("streams_wait_for_redis", error=type(error).__name__)
            self._down = True

    def _send(self, waiting: list[tuple[UUID, _Lane]]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for completion_id, lane in waiting:
            key = stream_key(completion_id)
            for number, entry in lane.pending:
                pipeline.xadd(key, entry, id=number, maxlen=MAX_ENTRIES, approximate=True)
            pipeline.expire(key, SECONDS_KEPT)
        _execute(pipeline)
        for _, lane in waiting:
            lane.pending.clear()


def announce_end(completion_id: UUID, attempt: int, kind: Kind) -> None:
    """Tell readers that a completion ended as DONE or FAILED. Repeating it changes nothing; a fault is logged."""
    key = stream_key(completion_id)
    try:
        pipeline = sync_client().pipeline(transaction=False)
        pipeline.xadd(key, fields(kind), id=entry_id(attempt, END_SEQUENCE), maxlen=MAX_ENTRIES, approximate=True)
        pipeline.expire(key, SECONDS_KEPT)
        _execute(pipeline)
    except redis.RedisError as error:
        log.warning("end_not_announced", completion_id=str(completion_id), error=type(error).__name__)


def _execute(pipeline: Any) -> None:
    """Run the commands; an entry refused as old is no error: it was stored before, or its attempt was replaced."""
    for reply in pipeline.execute(raise_on_error=False):
        if isinstance(reply, Exception) and not _is_old(reply):
            raise reply


def _is_old(reply: Exception) -> bool:
    return isinstance(reply, redis.ResponseError) and "equal or smaller" in str(reply)
