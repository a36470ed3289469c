"""Starts a real PostgreSQL and a real Valkey for the tests, before Django's settings are read.

Loaded with `-p`: pytest-django reads the settings before any conftest is. With xdist the controller starts
the servers and its workers inherit the addresses, each with a Redis database of its own. The servers stop
with the session, and with the process however it ends.
"""

import atexit
import base64
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from config.launch.bootstrap import keep_bytecode
from config.launch.browser import find_browser
from config.launch.services import Services, prepare_services

REPOSITORY = Path(__file__).resolve().parent.parent
PREFIX = "cardinal-test-"
_started: list[tuple[Services, Path]] = []
keep_bytecode(Path(sys.prefix) / "bytecode")  # as manage.py does, for a pytest of its own


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> Generator[None, object, object]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        os.environ["REDIS_URL"] = redis_database(os.environ["REDIS_URL"], int(worker.removeprefix("gw")) + 1)
    elif not {"-h", "--help", "--version"} & set(args):
        start_session()
    return (yield)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With xdist, the tests of the language model's worker stay in one process: it loads the model once. Modules that
    name a group of their own have a worker of their own.
    """
    for item in items:
        if item.get_closest_marker("worker") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("worker"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Groups spread over processes would share servers and folders; pytest 9.2 with xdist 3.8 drops them unsaid."""
    if getattr(session.config.option, "loadgroup", False):
        lost = [
            item.nodeid for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid
        ]
        if lost:
            raise pytest.UsageError(f"this pytest and this xdist do not keep groups together, such as {lost[0]}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The count in one line of its own, whatever the verbosity."""
    outcomes = {name: len(terminalreporter.getreports(name)) for name in ("passed", "failed", "error", "skipped")}
    found = ", ".join(f"{number} {name}" for name, number in outcomes.items() if number)
    terminalreporter.write_line(f"{sum(outcomes.values())} tests: {found or 'none ran'}")


def pytest_unconfigure() -> None:
    stop_session()


@atexit.register  # when the settings or a conftest do not load, nothing is unconfigured
def stop_session() -> None:
    while _started:
        services, directory = _started.pop()
        services.stop()
        shutil.rmtree(directory, ignore_errors=True)


def start_session() -> None:
    remove_left_behind()
    directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    services = prepare_services(directory, programs_cache=REPOSITORY / ".cardinal", durable=False)
    _started.append((services, directory))
    services.start()
    addresses = services.environment()
    # The owner makes the test database; tests then act in the application's role.
    os.environ.update(addresses, DATABASE_URL=addresses["DATABASE_OWNER_URL"])
    data = directory / "data"
    data.mkdir()
    os.environ.update(
        SECRET_KEY=secrets.token_urlsafe(50),
        CARDINAL_ENCRYPTION_KEY=base64.b64encode(secrets.token_bytes(32)).decode(),
        CARDINAL_DATA_DIR=str(data),
        DJANGO_ALLOW_ASYNC_UNSAFE="true",
    )
    browser = find_browser()
    if browser:
        os.environ["CHROMIUM"] = browser


def remove_left_behind() -> None:
    """Folders of sessions that were killed before they could tidy up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        process = folder.name.removeprefix(PREFIX).split("-")[0]
        with suppress(FileNotFoundError):  # another session was quicker, or has just ended
            if process.isdigit() and folder.owner() == Path.home().owner() and not is_alive(int(process)):
                shutil.rmtree(folder, ignore_errors=True)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def redis_database(url: str, number: int) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
