"""Every check that needs no test: the same on a desk, before a commit and in CI. No network."""

import base64
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.launch.folder import REPOSITORY
from config.launch.progress import Progress

TOOLS = Path(sys.prefix) / "bin"
MANAGE = [sys.executable, str(REPOSITORY / "manage.py")]
PACKAGES = ("config", "arena", "annotation", "inference_workers", "accounts", "ranking", "foundation")


@dataclass(frozen=True)
class Check:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def all_checks() -> list[Check]:
    """The slow ones first: they run side by side."""
    production = {
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CARDINAL_ENCRYPTION_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "ALLOWED_HOSTS": "cardinal.example",
        "TRUSTED_PROXY_COUNT": "1",
        "DEBUG": "false",
    }
    # Without a database Django cannot compare the migrations with those applied, and says so in a warning.
    offline = {"DJANGO_SETTINGS_MODULE": "config.settings.test", "PYTHONWARNINGS": "ignore::RuntimeWarning"}
    return [
        Check("types (mypy)", [str(TOOLS / "mypy"), *PACKAGES]),
        Check("imports point down (import-linter)", [str(TOOLS / "lint-imports")]),
        Check("style (ruff check)", [str(TOOLS / "ruff"), "check", "."]),
        Check("layout (ruff format)", [str(TOOLS / "ruff"), "format", "--check", "."]),
        Check("deployment", [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"], production),
        Check("migrations are written", [*MANAGE, "makemigrations", "--check", "--dry-run"], offline),
        Check("docs/states.md is fresh", [*MANAGE, "states", "--check"], offline),
    ]


class Command(BaseCommand):
    help = "Runs import-linter, ruff, mypy, Django's deploy check, the migration check and the states document's."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(options.get("stdout") or sys.stdout)
        failed = []
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            begun = time.monotonic()
            running = {pool.submit(run_check, check): check for check in all_checks()}
            for done in as_completed(running):
                outcome, check = done.result(), running[done]
                progress.mark(check.name, time.monotonic() - outcome.seconds, failed=outcome.status != 0)
                if outcome.status != 0:
                    failed.append(check.name)
                    progress.line(outcome.output.rstrip())
        if failed:
            raise CommandError(f"{len(failed)} of {len(running)} checks failed: {', '.join(failed)}")
        progress.line(f"  {len(running)} checks passed in {time.monotonic() - begun:.0f} s")


@dataclass(frozen=True)
class Outcome:
    status: int
    seconds: float
    output: str


def run_check(check: Check) -> Outcome:
    environment = {**os.environ, "CARDINAL_NO_VENV": "1", **check.environment}
    environment.pop("DATABASE_URL", None)
    environment.pop("DATABASE_OWNER_URL", None)
    begun = time.monotonic()
    done = subprocess.run(
        list(check.command),
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Outcome(done.returncode, time.monotonic() - begun, done.stdout)
