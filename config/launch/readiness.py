"""What the generation worker says of its language models, for the person at the terminal."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import redis

from config.launch.progress import Progress

# Both are the worker's words; see inference_workers.queries, which this process does not import: it needs no Django.
KEY = "cardinal:worker:ready"
WORKER = "(worker)"
SECONDS = 1.0


@dataclass
class ModelWatch:
    """Asks Redis at most once a second, and says once that the models are ready or why one is not."""

    redis_url: str
    progress: Progress
    begun: float = field(default_factory=time.monotonic)
    asked: float = 0.0
    state: str = ""
    announced: bool = False

    def look(self) -> str:
        """One word for the status line: empty until the worker has spoken."""
        if time.monotonic() - self.asked >= SECONDS:
            self.asked = time.monotonic()
            states = self.ask()
            self.state = worst(states)
            if states.get(WORKER) == "ready" and not self.announced:
                self.announced = True
                self.announce(states)
        return self.state

    def ask(self) -> dict[str, str]:
        try:
            with redis.Redis.from_url(self.redis_url, socket_timeout=1, socket_connect_timeout=1) as client:
                return {name.decode(): state.decode() for name, state in client.hgetall(KEY).items()}
        except redis.RedisError:
            return {}

    def announce(self, states: Mapping[str, str]) -> None:
        failed = {name: state for name, state in states.items() if state.startswith("failed")}
        self.progress.mark("Language models", self.begun, failed=bool(failed))
        for name, state in failed.items():
            self.progress.line(f"    {name}: {state}")


def worst(states: Mapping[str, str]) -> str:
    """Of several models, the state that a person would want to know of."""
    found = {state.split(":")[0] for state in states.values()}
    return next((state for state in ("failed", "loading", "ready") if state in found), "")
