"""No process starts with settings nobody should run with: it says which, in a line, and how to mend it."""

import os
import subprocess
import sys

import pytest

from config.launch.folder import REPOSITORY
from config.launch.processes import free_port

PYTHON = sys.executable
STARTS = {
    "pages and streams under uvicorn": [PYTHON, "-m", "uvicorn", "config.asgi:application", "--port", "0"],
    "pages under a WSGI server": [PYTHON, "-c", "import config.wsgi"],
    "a worker": [PYTHON, "-m", "celery", "-A", "config.celery", "worker", "--pool", "solo", "-n", "refused@test"],
}
QUICKEST = "pages under a WSGI server"
WEAK = "SECRET_KEY has 8 characters, fewer than 50. Set it to the output of: "


def start(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it with no database to ask, so that only settings speak."""
    nowhere = f"postgres://nobody@127.0.0.1:{free_port()}/nothing"
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=os.environ | {"DATABASE_URL": nowhere, "DJANGO_SETTINGS_MODULE": "config.settings.test"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def refusals(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What stands below the headline, which comes last."""
    head, found, lines = done.stderr.rpartition("Cardinal does not start with these settings:\n")
    assert found, done.stdout + done.stderr
    assert "Traceback" not in head
    return lines.splitlines()


@pytest.mark.parametrize(
    "command",
    [pytest.param(each, id=name, marks=pytest.mark.slow if name != QUICKEST else ()) for name, each in STARTS.items()],
)
def test_a_weak_secret_key_is_refused_in_one_line_that_names_it(command):
    done = start(command, SECRET_KEY="changeme")
    assert done.returncode == 3, done.stderr
    (line,) = refusals(done)
    assert line.startswith(WEAK)


@pytest.mark.slow
def test_several_refusals_are_told_at_once():
    done = start(STARTS[QUICKEST], SECRET_KEY="changeme", CARDINAL_ENCRYPTION_KEY="")
    assert [line.split()[0] for line in refusals(done)] == ["SECRET_KEY", "CARDINAL_ENCRYPTION_KEY"]


@pytest.mark.slow
def test_control_with_safe_settings_the_same_start_succeeds():
    done = start(STARTS[QUICKEST])
    assert (done.returncode, "does not start" in done.stderr) == (0, False), done.stderr


@pytest.mark.slow
def test_a_database_that_does_not_sync_is_refused():
    """As the one of the tests is: acknowledged answers would be lost with the power."""
    done = start(STARTS[QUICKEST], DATABASE_URL=os.environ["DATABASE_URL"])
    assert done.returncode == 3, done.stderr
    assert [line.split(" is ")[0] for line in refusals(done)] == ["fsync", "synchronous_commit", "full_page_writes"]


def test_importing_the_celery_application_asks_nothing():
    """Pages and commands import it to publish; only a worker's start is a start."""
    done = start([PYTHON, "-c", "import config.celery as c; print(c.app.main)"], SECRET_KEY="changeme")
    assert (done.returncode, done.stdout, done.stderr) == (0, "cardinal\n", "")
