"""What a generation worker says of itself in Redis, for the page that tells visitors the models are waking up."""

import threading
from typing import Any

import redis
import structlog

from inference_workers.queries import READY_KEY, READY_SECONDS, WORKER_FIELD, WorkerState
from inference_workers.streams import sync_client

log = structlog.get_logger(__name__)

BEAT_SECONDS = 5.0


class Readiness:
    """States of language models by slug, repeated every few seconds: a dead worker's word runs out by itself."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {WORKER_FIELD: WorkerState.LOADING}
        self._lock = threading.Lock()
        self._beat: threading.Thread | None = None

    def begin(self) -> None:
        """Publish from now on, on a thread that ends with the process."""
        if self._beat is None:
            self._beat = threading.Thread(target=self._run, name="readiness", daemon=True)
            self._beat.start()

    def note(self, slug: str, state: WorkerState, reason: str = "") -> None:
        """`reason` is for operators and holds no prompt and no key."""
        value = f"{state}: {reason}" if reason else str(state)
        with self._lock:
            if self._states.get(slug) == value:
                return
            self._states[slug] = value
        self.publish()

    def publish(self) -> None:
        with self._lock:
            states: dict[Any, Any] = dict(self._states)
        pipeline = sync_client().pipeline(transaction=True)
        pipeline.delete(READY_KEY)
        pipeline.hset(READY_KEY, mapping=states)
        pipeline.expire(READY_KEY, READY_SECONDS)
        try:
            pipeline.execute()
        except redis.RedisError as error:
            log.warning("readiness_not_published", error=type(error).__name__)

    def _run(self) -> None:
        while True:
            self.publish()
            threading.Event().wait(BEAT_SECONDS)


readiness = Readiness()
