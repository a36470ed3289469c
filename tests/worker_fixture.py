"""One real generation worker for a session's tests: `celery … -Q generation --pool prefork -c 1` on the test database.

Import the fixture into a conftest: `from tests.worker_fixture import generation_worker  # noqa: F401`. Tests that use
it need committed rows (`transaction=True`). Importing torch takes seconds, so the worker lives as long as the session.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from config.launch.processes import Command, free_port, last_lines, start, stop
from inference_workers.queries import READY_KEY, worker_status
from inference_workers.streams import sync_client

REPOSITORY = Path(__file__).resolve().parent.parent
# Short, so that a test of a killed worker does not wait for half a minute.
LEASE_SECONDS = 3
# Where a test may put a model server that the worker is allowed to call.
MODEL_SERVER = ("127.0.0.1", free_port())


class GenerationWorker:
    """A worker in a process of its own. `environment` adds to, or changes, what it is told."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.log = folder / "generation-worker.log"
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "GenerationWorker":
        self.process = start(
            Command(
                [
                    *(sys.executable, "-m", "celery", "-A", "tests.undurable_celery", "worker"),
                    *("-Q", "generation", "--pool", "prefork", "-c", "1"),
                    *("-n", f"test-{os.getpid()}@%h", "--without-gossip", "--without-mingle"),
                ],
                log=self.log,
                death_signal=signal.SIGKILL,
                directory=REPOSITORY,
                environment=worker_environment() | self.environment,
            )
        )
        return self

    def wait_until_ready(self, seconds: float = 60) -> "GenerationWorker":
        wait_until(lambda: worker_status().ready, seconds, what=self.tail)
        return self

    @property
    def children(self) -> list[int]:
        assert self.process is not None
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        return [int(line) for line in found.stdout.split()]

    def kill_child(self) -> int:
        """SIGKILL for the process that holds the models, as the kernel does when memory runs out."""
        child = self.children[0]
        os.kill(child, signal.SIGKILL)
        return child

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """While the block runs this worker takes nothing, so that another one does."""
        assert self.process is not None
        processes = [self.process.pid, *self.children]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def terminate(self, seconds: float) -> float:
        """SIGTERM, as an orchestrator sends it; how long the worker took to end."""
        assert self.process is not None
        begun = time.monotonic()
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=seconds)
        return time.monotonic() - begun

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        children = self.children
        stop(self.process, [signal.SIGTERM], 15)
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def tail(self) -> str:
        return f"the worker's log ends:\n{last_lines(self.log, 40)}"


def worker_environment() -> dict[str, str]:
    """This process's, pointed at the test database in the application's role."""
    database = connection.settings_dict
    address = urlsplit(os.environ["DATABASE_URL"])
    place = address.netloc.rpartition("@")[2]
    user = os.environ.get("TEST_WORKER_ROLE") or settings.DATABASE_APP_ROLE
    netloc = f"{user}@{place}" if address.password is None else address.netloc
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": urlunsplit(address._replace(netloc=netloc, path=f"/{database['NAME']}")),
        "REDIS_URL": settings.REDIS_URL,
        "COMPLETION_LEASE_SECONDS": str(LEASE_SECONDS),
        "OUTBOUND_ALLOWED_HOSTS": "{}:{}".format(*MODEL_SERVER),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
    }


def wait_until(true: Callable[[], Any], seconds: float = 30, *, what: Callable[[], str] | str = "") -> Any:
    """What `true` returns once it is true; a failure that says `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        if time.monotonic() > deadline:
            pytest.fail(f"not so after {seconds:g} s. {what() if callable(what) else what}")
        time.sleep(0.02)
    return value


@pytest.fixture(scope="session")
def generation_worker(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[GenerationWorker]:
    with django_db_blocker.unblock():
        sync_client().delete(READY_KEY)
        worker = GenerationWorker(tmp_path_factory.mktemp("worker"))
        try:
            yield worker.start().wait_until_ready()
        finally:
            worker.stop()
