"""Keeps the children of `up` running: starts them, starts them again when they crash, stops them all.

Each child is tied to this process (see `processes`), so that even SIGKILL here ends the whole tree.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.launch.errors import LaunchError
from config.launch.folder import REPOSITORY
from config.launch.processes import Command, failure, last_lines, start
from config.launch.progress import Progress
from config.launch.services import Services

LONGEST_PAUSE = 30.0  # seconds between two attempts
HEALTHY = 60.0  # a child that ran this long starts its count of crashes anew
LOG_SIZE = 10_000_000


@dataclass
class Child:
    """One program of ours. `patience` is how long it may take to finish what it is doing when asked to stop."""

    name: str
    arguments: Sequence[str]
    patience: float = 10.0
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    crashes: int = 0
    restart_at: float | None = None


@dataclass
class Supervisor:
    services: Services
    logs: Path
    environment: Mapping[str, str]
    progress: Progress
    children: list[Child] = field(default_factory=list)

    def log(self, child: Child) -> Path:
        return self.logs / f"{child.name}.log"

    def start(self, child: Child) -> None:
        log = self.log(child)
        if log.exists() and log.stat().st_size > LOG_SIZE:
            log.replace(log.with_suffix(".log.1"))
        child.process = start(Command(child.arguments, log=log, environment=self.environment, directory=REPOSITORY))
        child.started_at = time.monotonic()
        child.restart_at = None
        if child not in self.children:
            self.children.append(child)

    def wait_for(self, child: Child, ready: Callable[[], bool], seconds: float) -> None:
        """Until `ready()`; a child that ends or takes longer is a refusal that shows the end of its log."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if child.process is None or child.process.poll() is not None:
                break
            if ready():
                return
            time.sleep(0.05)
        raise failure(f"{child.name} did not start", self.log(child))

    def watch(self) -> None:
        """Look after everything once; call it again and again."""
        self.revive_services()
        for child in self.children:
            self.look_after(child, time.monotonic())

    def look_after(self, child: Child, now: float) -> None:
        if child.restart_at is not None:
            if now >= child.restart_at:
                self.start(child)
                self.progress.line(f"  {child.name} started again")
        elif child.process is not None and child.process.poll() is not None:
            child.crashes = 1 if now - child.started_at > HEALTHY else child.crashes + 1
            pause = min(LONGEST_PAUSE, 2.0 ** (child.crashes - 1))
            child.restart_at = now + pause
            self.progress.line(
                f"  {child.name} ended ({ending(child.process.returncode)}), next attempt in {pause:.0f} s; "
                f"the end of {self.log(child)}:"
            )
            self.progress.line(last_lines(self.log(child), 5))

    def revive_services(self) -> None:
        """A server that crashed comes back at its old address, where the children look for it."""
        servers = {"PostgreSQL": self.services.postgres, "Valkey": self.services.valkey}
        for name, server in servers.items():
            if server is not None and server.process is not None and server.process.poll() is not None:
                self.progress.line(f"  {name} ended ({ending(server.process.returncode)}), starting it again")
                try:
                    server.start()
                except LaunchError as failure:
                    self.progress.line(f"  {failure}")
                    time.sleep(LONGEST_PAUSE / 10)

    def stop(self) -> None:
        """First the children, side by side, then the servers they write to. A second Ctrl-C kills at once."""
        hurry = {"now": False}

        def kill_at_once(number: int, frame: object) -> None:
            hurry["now"] = True

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, kill_at_once)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        running = [child for child in self.children if child.process is not None]
        for child in running:
            send(child, signal.SIGTERM)
        begun = time.monotonic()
        while any(is_running(child) for child in running):
            waited = time.monotonic() - begun
            for child in running:
                if hurry["now"] or waited > child.patience + 5:
                    kill_group(child)
                elif waited > child.patience:
                    send(child, signal.SIGQUIT)  # Celery gives its task back to the queue
            time.sleep(0.05)
        for child in running:
            kill_group(child)
        self.services.stop()


def send(child: Child, number: int) -> None:
    if is_running(child) and child.process is not None:
        with suppress(ProcessLookupError):
            os.kill(child.process.pid, number)


def kill_group(child: Child) -> None:
    """The child and whatever it started."""
    if child.process is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)


def is_running(child: Child) -> bool:
    return child.process is not None and child.process.poll() is None


def ending(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
