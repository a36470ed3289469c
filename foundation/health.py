"""What an orchestrator asks a process: does it live, may it be sent requests, what has it counted."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from types import FrameType

import psycopg
import redis
from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from foundation.database import lone_connection

SECONDS_PER_CHECK = 1.0

_asked_anew = CollectorRegistry()
_collectors: list[Collector] = []
_draining = threading.Event()
_handler_installed = False
# A check that hangs keeps its thread until its own time limit; the others find one of their own.
_checkers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="readiness")


def check_database() -> None:
    """Ask on a connection of its own: a pool whose connections are all busy is load, not a failure."""
    with lone_connection() as connection:
        connection.execute("SELECT 1")


def check_redis() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    with client:
        client.ping()


CHECKS: dict[str, Callable[[], None]] = {"database": check_database, "redis": check_redis}


def readiness() -> dict[str, str]:
    """What fails, by name; empty means ready. Takes at most about a second, whatever hangs."""
    if _draining.is_set():
        return {"process": "draining"}
    running = {name: _checkers.submit(check) for name, check in CHECKS.items()}
    failures = {name: _outcome(future) for name, future in running.items()}
    return {name: failure for name, failure in failures.items() if failure}


def _outcome(future: "Future[None]") -> str:
    try:
        future.result(timeout=SECONDS_PER_CHECK)
    except FutureTimeout:
        future.cancel()
        return f"no answer within {SECONDS_PER_CHECK:g} s"
    except (psycopg.Error, redis.RedisError, OSError) as error:
        # Only the kind: the message may hold an address or a user name, and anybody may ask.
        return type(error).__name__
    return ""


def metrics() -> bytes:
    """Everything counted, in Prometheus' text form; over all processes where they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY) + generate_latest(_asked_anew)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry) + generate_latest(_asked_anew)


def add_collector(collector: Collector) -> None:
    """What is not counted by processes but read anew for every reading of the metrics, by the apps above."""
    if type(collector) not in {type(each) for each in _collectors}:
        _collectors.append(collector)
        _asked_anew.register(collector)


def begin_draining() -> None:
    """Say "not ready" from now on, so that no new request is sent here while those in flight end."""
    _draining.set()


def drain_on_sigterm() -> None:
    """Turn unready at SIGTERM and hand the signal on to whoever handled it before. Only in the main thread, once."""
    global _handler_installed
    if _handler_installed or threading.current_thread() is not threading.main_thread():
        return
    _handler_installed = True
    earlier = signal.getsignal(signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        begin_draining()
        if callable(earlier):
            earlier(number, frame)
        elif earlier != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, handle)
