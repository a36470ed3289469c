"""A broker that takes connections and says nothing keeps nobody: a hint to the workers is given up."""

import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import pytest
from celery import Celery
from django.conf import settings

from inference_workers.use_cases import wake_workers as waking


@contextmanager
def silent_broker():
    """A server that accepts whoever comes, and closes all of them in the end."""
    server = socket.create_server(("127.0.0.1", 0))
    met: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                met.append(server.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
        for each in met:
            each.close()


def app_of(broker: str, **options: object) -> Celery:
    transport = settings.CELERY_BROKER_TRANSPORT_OPTIONS | options
    app = Celery(set_as_current=False, broker=broker)
    app.conf.update(broker_transport_options=transport, task_ignore_result=True)
    return app


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def hint(app: Celery) -> bool:
    """As the page does it that begins a battle; each thread has an app of its own."""
    app.set_current()
    return waking.wake_workers(completion_id=uuid4(), priority=0)


def test_a_hint_to_a_broker_that_says_nothing_is_given_up_while_one_without_limit_waits_on(pool):
    with silent_broker() as broker:
        bounded: Future[bool] = pool.submit(hint, app_of(broker))
        # The control: the same without the limit of the settings.
        unbounded: Future[bool] = pool.submit(hint, app_of(broker, socket_timeout=None))
        assert bounded.result(timeout=60) is False
        assert not unbounded.done()
    assert unbounded.result(timeout=60) is False
