"""One real generation worker for the tests of a package: `celery … --pool prefork -c 1` on the test database.

Import both fixtures into a conftest, with `# noqa: F401`: generation_worker and session_worker.
Importing torch takes seconds, so the worker lives for all tests of its package, and ends with them: it would go on
telling that language models are ready. It hears of completions only while a test
uses `generation_worker`, which commits what it writes; in other tests the queue stays as the test left it.
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
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone

from config.launch.processes import Command, free_port, last_lines, start, stop
from inference_workers.enums import CompletionState
from inference_workers.models import Completion
from inference_workers.queries import worker_status
from inference_workers.use_cases.cancel_completion import cancel_completion
from inference_workers.use_cases.wake_workers import GENERATE, WARM

REPOSITORY = Path(__file__).resolve().parent.parent
# Short, so that a test of a killed worker does not wait for half a minute.
LEASE_SECONDS = 3
# As in tests/worker_settings.py, which only the worker itself can import.
QUEUE = "generation-of-tests"
APPLICATION_NAME = "cardinal-generation-worker"
# Where a test may put a model server that the worker is allowed to call.
MODEL_SERVER = ("127.0.0.1", free_port())


class GenerationWorker:
    """A worker in a process of its own, on the queue its settings name."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: str = "config.settings.test",
        queue: str = "generation",
        program: str = "tests.worker_process",
    ) -> None:
        self.log = folder / "generation-worker.log"
        self.settings = settings
        self.queue = queue
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "GenerationWorker":
        self.process = start(
            Command(
                [
                    *(sys.executable, "-m", self.program, "-A", "config.celery", "worker"),
                    *("-Q", self.queue, "--pool", "prefork", "-c", "1", "-n", f"{self.queue}-{os.getpid()}@%h"),
                    *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
                ],
                log=self.log,
                death_signal=signal.SIGKILL,
                directory=REPOSITORY,
                environment=worker_environment() | {"DJANGO_SETTINGS_MODULE": self.settings},
            )
        )
        return self

    def wait_until_up(self, seconds: float = 120) -> None:
        """Wait for the process that generates; a worker that refused to start says why."""
        assert self.process is not None
        wait_until(lambda: self.children or self.process.poll() is not None, seconds, what=self.tail)
        assert self.process.poll() is None, self.tail()

    def wait_until_ready(self, seconds: float = 120) -> "GenerationWorker":
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
        """While the block runs this worker, which must be idle, says nothing of itself."""
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
        "DATABASE_URL": urlunsplit(address._replace(netloc=netloc, path=f"/{database['NAME']}")),
        "REDIS_URL": settings.REDIS_URL,
        "COMPLETION_LEASE_SECONDS": str(LEASE_SECONDS),
        "OUTBOUND_ALLOWED_HOSTS": "{}:{}".format(*MODEL_SERVER),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        "PGAPPNAME": APPLICATION_NAME,
    }


def wait_until(true: Callable[[], Any], seconds: float = 60, *, what: Callable[[], str] | str = "") -> Any:
    """What `true` returns once it is true; a failure that says `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        if time.monotonic() > deadline:
            pytest.fail(f"not so after {seconds:g} s. {what() if callable(what) else what}")
        time.sleep(0.02)
    return value


@contextmanager
def hints_go_to(queue: str) -> Iterator[None]:
    """Publish what wakes generation workers to this queue."""
    routes = current_app.conf.task_routes
    _route({GENERATE: {"queue": queue}, WARM: {"queue": queue}})
    try:
        yield
    finally:
        _route(routes)


def _route(routes: Any) -> None:
    current_app.conf.task_routes = routes
    current_app.amqp.flush_routes()
    current_app.amqp.router = current_app.amqp.Router()


def connected_workers() -> int:
    """Generation workers that are at work: their connection to the database lasts as long as their task."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s",
            [APPLICATION_NAME],
        )
        return cursor.fetchone()[0]


@pytest.fixture(scope="package")
def session_worker(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[GenerationWorker]:
    folder = tmp_path_factory.mktemp("worker")
    worker = GenerationWorker(folder, settings="tests.worker_settings", queue=QUEUE)
    with django_db_blocker.unblock():
        worker.start()
    try:
        yield worker
    finally:
        worker.stop()


@pytest.fixture
def generation_worker(transactional_db: None, session_worker: GenerationWorker) -> Iterator[GenerationWorker]:
    """The session's worker, at work on this test's completions and idle before the next."""
    session_worker.wait_until_up()
    with hints_go_to(QUEUE):
        yield session_worker
    unfinished = Completion.objects.filter(state__in=[CompletionState.QUEUED, CompletionState.RUNNING])
    for completion_id in unfinished.values_list("pk", flat=True):
        cancel_completion(completion_id=completion_id, now=timezone.now())
    wait_until(lambda: not connected_workers(), 20, what=session_worker.tail)
