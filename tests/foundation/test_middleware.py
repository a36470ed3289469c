import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from foundation import health
from foundation.middleware import HealthMiddleware

READY = {"ready": True, "failing": {}}


def answer(request):
    return HttpResponse(f"page for {request.get_host()}")


middleware = HealthMiddleware(answer)


def get(path, **meta):
    return middleware(RequestFactory().get(path, **meta))


@pytest.fixture(autouse=True)
def not_draining():
    health._draining.clear()
    yield
    health._draining.clear()


def test_livez_answers_any_host_and_asks_nothing(django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(health, "CHECKS", {"database": lambda: pytest.fail("asked")})
    health.begin_draining()

    response = get("/livez", HTTP_HOST="any.host.at.all")

    assert (response.status_code, response.content, response["Cache-Control"]) == (200, b"ok\n", "no-store")


@pytest.mark.django_db
def test_readyz_asks_database_and_redis():
    response = get("/readyz", HTTP_HOST="any.host.at.all")

    assert (response.status_code, json.loads(response.content)) == (200, READY)


def unused_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


@pytest.mark.django_db
def test_readyz_names_a_redis_that_is_down(settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{unused_port()}/0"

    response = get("/readyz")

    assert (response.status_code, json.loads(response.content)) == (
        503,
        {"ready": False, "failing": {"redis": "ConnectionError"}},
    )


@pytest.mark.django_db
def test_readyz_names_a_database_that_is_down(monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", unused_port())

    response = get("/readyz")

    assert (response.status_code, json.loads(response.content)) == (
        503,
        {"ready": False, "failing": {"database": "OperationalError"}},
    )


@pytest.mark.django_db
def test_readyz_answers_within_its_limit_when_both_hang(settings, monkeypatch):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        monkeypatch.setitem(connections["default"].settings_dict, "PORT", silent.getsockname()[1])
        started = time.monotonic()

        response = get("/readyz")

    assert time.monotonic() - started < 2
    assert response.status_code == 503
    failing = json.loads(response.content)["failing"]
    assert failing["database"] == "no answer within 1 s"
    assert failing["redis"] in ("no answer within 1 s", "TimeoutError")


@pytest.mark.django_db
def test_readyz_is_unready_while_draining_though_everything_answers():
    health.begin_draining()

    response = get("/readyz")

    assert (response.status_code, json.loads(response.content)) == (
        503,
        {"ready": False, "failing": {"process": "draining"}},
    )


@pytest.mark.parametrize(
    ("meta", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.1"}, 404),
        ({"REMOTE_ADDR": ""}, 404),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "8.8.8.8"}, 404),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_AUTHORIZATION": "Bearer the-token"}, 200),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_AUTHORIZATION": "Bearer another"}, 404),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_AUTHORIZATION": "Bearer "}, 404),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_AUTHORIZATION": "Bearer thé"}, 404),
    ],
)
def test_metrics_are_for_this_machine_or_the_token(settings, meta, status):
    settings.METRICS_TOKEN = "the-token"

    assert get("/metrics", **meta).status_code == status


def test_without_a_token_set_an_empty_one_opens_nothing(settings):
    settings.METRICS_TOKEN = ""

    assert get("/metrics", REMOTE_ADDR="10.0.0.1", HTTP_AUTHORIZATION="Bearer ").status_code == 404


def test_requests_are_counted_by_view_and_not_by_path():
    def count():
        lines = get("/metrics").content.decode().splitlines()
        return {line for line in lines if line.startswith("cardinal_requests_total{") and "NONSENSE" not in line}

    before = count()
    for path in ("/one", "/two", "/three"):
        get(path)
    middleware(RequestFactory().generic("NONSENSE", "/"))

    added = count() - before
    assert len(added) == 2
    assert {line.split("}")[0] for line in added} == {
        'cardinal_requests_total{method="GET",status="200",view="none"',
        'cardinal_requests_total{method="other",status="200",view="none"',
    }
    assert get("/metrics")["Content-Type"].startswith("text/plain; version=0.0.4")


def test_other_pages_pass_through():
    assert get("/livez/").content == b"page for testserver"
    assert get("/").content == b"page for testserver"


@pytest.mark.django_db
def test_it_serves_asgi_too():
    import asyncio

    async def page(request: ASGIRequest) -> HttpResponse:
        return HttpResponse("page")

    async def ask():
        wrapped = HealthMiddleware(page)
        return [await wrapped(AsyncRequestFactory().get(path)) for path in ("/livez", "/readyz", "/metrics", "/")]

    live, ready, metrics, other = asyncio.run(ask())
    assert [r.status_code for r in (live, ready, metrics, other)] == [200, 200, 200, 200]
    assert (live.content, json.loads(ready.content), other.content) == (b"ok\n", READY, b"page")


def test_sigterm_turns_unready_and_reaches_the_handler_that_was_there(monkeypatch):
    assert threading.current_thread() is threading.main_thread()
    seen = []
    earlier = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    monkeypatch.setattr(health, "_handler_installed", False)
    try:
        health.drain_on_sigterm()
        health.drain_on_sigterm()
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, earlier)

    assert seen == [signal.SIGTERM]
    assert health.readiness() == {"process": "draining"}


def test_a_process_without_a_handler_still_ends_at_sigterm():
    code = (
        "from foundation.health import drain_on_sigterm as d; import time; d(); print('up', flush=True); time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.wait(10) == -signal.SIGTERM


SERVER = """
import django, time
from django.conf import settings
settings.configure(SECRET_KEY="x", ROOT_URLCONF=__name__, MIDDLEWARE=["foundation.middleware.HealthMiddleware"],
                   ALLOWED_HOSTS=["*"])
from django.http import HttpResponse
from django.urls import path
def slow(request):
    time.sleep(1)
    return HttpResponse("finished")
urlpatterns = [path("slow", slow)]
from django.core.asgi import get_asgi_application
application = get_asgi_application()
"""


@pytest.mark.slow
def test_uvicorn_finishes_what_is_in_flight_after_sigterm(tmp_path):
    (tmp_path / "draining_app.py").write_text(SERVER)
    port = unused_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "draining_app:application",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.getcwd()}"}
    process = subprocess.Popen(command, env=environment)
    try:
        assert eventually(lambda: fetch(port, "/livez")) == (200, "ok\n")
        outcome = []
        request = threading.Thread(target=lambda: outcome.append(fetch(port, "/slow")))
        request.start()
        time.sleep(0.4)
        process.send_signal(signal.SIGTERM)
        request.join(10)
        assert outcome == [(200, "finished")]
        assert process.wait(10) in (0, -signal.SIGTERM)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def fetch(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def eventually(attempt):
    for _ in range(100):
        try:
            return attempt()
        except OSError:
            time.sleep(0.1)
    return attempt()
