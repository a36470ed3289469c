"""One `manage.py up` for all journeys: real servers, real workers, the real demo model, and a browser in front."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.browser import DESK, PHONE, shoot

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SIZES = {"phone": PHONE, "desktop": DESK}
# What the test run set for its own servers; `up` starts its own.
OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY", "CARDINAL_ENCRYPTION_KEY", "CARDINAL_DATA_DIR")
# Two cores write some twenty tokens a second; no journey hangs on how long an answer is.
SHORT_ANSWERS = (
    "from inference_workers.models import LanguageModelRevision as Revision;"
    "print(Revision.objects.update(max_tokens=48, accepts_cut=True))"
)
SUPERSEDED = ("htmx:afterRequest,", "htmx:sendAbort")


@dataclass
class Running:
    address: str
    passwords: dict[str, str]
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]

    def manage(self, *arguments: str) -> str:
        """A command of manage.py beside the running `up`."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


# Package, not session: the same process goes on with other tests, which this `up` would slow down.
@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("up") / "data"
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment |= {
        "CARDINAL_DATA_DIR": str(folder),
        "CARDINAL_NO_VENV": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
    }
    port = free_port()
    output = (tmp_path_factory.mktemp("output") / "up.txt").open("w+")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=REPOSITORY,
        env=environment,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_page(address, process, Path(output.name))
        printed = Path(output.name).read_text()
        passwords = dict(re.findall(r"^\s*(annotator|researcher|admin)\s+(\S+)\s*$", printed, re.MULTILINE))
        assert set(passwords) == {"annotator", "researcher", "admin"}, printed
        running = Running(address, passwords, folder, environment, process)
        assert running.manage("shell", "--no-imports", "-c", SHORT_ANSWERS).split() == ["4"]
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        output.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_page(address: str, process: subprocess.Popen[str], output: Path, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"up ended:\n{output.read_text()}")
        try:
            if httpx.get(f"{address}/livez", timeout=2).status_code == 200 and "researcher" in output.read_text():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    pytest.fail(f"no page after {seconds:g} s:\n{output.read_text()}")


@pytest.fixture(params=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def context(chromium: Browser, running: Running, size: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=running.address, viewport=SIZES[size], accept_downloads=True)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen: no script error, no refused resource, no other origin."""
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("console", lambda m: problems.append(f"console: {m.text}") if is_problem(m) else None)
    page.on("request", lambda r: problems.append(f"origin: {r.url}") if is_foreign(r.url) else None)
    yield page
    assert problems == []


def is_problem(message: ConsoleMessage) -> bool:
    """Chromium reports every refused form as a resource that failed; a 422 is an answer. htmx reports a preview that a
    newer one takes the place of.
    """
    said = message.text
    return message.type == "error" and "status of 422" not in said and not said.startswith(SUPERSEDED)


def is_foreign(url: str) -> bool:
    return url.startswith("http") and not url.startswith("http://127.0.0.1:")


@pytest.fixture
def look(page: Page):
    """Keep a picture where CARDINAL_SCREENSHOTS says, to be looked at by a person."""

    def take(name: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
        shoot(page, name)

    return take


def sign_in(page: Page, running: Running, who: str) -> None:
    page.goto("/account/login/")
    page.fill("input[name=login]", who)
    page.fill("input[name=password]", running.passwords[who])
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
