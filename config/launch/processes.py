"""Children that never outlive their parent, and loopback ports for them."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from config.launch.errors import LaunchError
from config.launch.watchdog import Watchdog

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int, death_signal: int) -> None:
    """Ask the kernel (Linux) to send `death_signal` to this process when the thread that started it ends."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)


@cache
def watchdog() -> Watchdog | None:
    """What stands in for the death signal where the kernel has none."""
    return Watchdog() if _libc is None else None


@dataclass(frozen=True)
class Account:
    """The system user a server runs as. None of its fields set: the current user."""

    name: str | None = None
    uid: int | None = None
    gid: int | None = None


def server_account(data: Path) -> Account:
    """PostgreSQL refuses to run as root: then the owner of the data, or an unprivileged user that exists."""
    if os.geteuid() != 0:
        return Account()
    if data.exists() and data.stat().st_uid != 0:
        entry = pwd.getpwuid(data.stat().st_uid)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    name = next(name for name in ("postgres", "_postgres", "nobody", "daemon") if name in known)
    return Account(name, known[name].pw_uid, known[name].pw_gid)


# How long each log was when this process first wrote to it.
_begun: dict[Path, int] = {}


@dataclass(frozen=True)
class Command:
    """One child: what to run, as whom, where its output goes, and the signal it gets when we die."""

    arguments: Sequence[str]
    log: Path
    death_signal: int = signal.SIGKILL
    directory: Path | None = None
    account: Account = field(default_factory=Account)
    environment: Mapping[str, str] | None = None
    stdin: bytes | None = None


def start(command: Command) -> "subprocess.Popen[bytes]":
    """Start the child in a process group of its own, so that Ctrl-C at the terminal reaches the parent alone.

    Call it from the main thread: the kernel ties the death signal to the thread that forked.
    """
    parent = os.getpid()
    account: dict[str, object] = {}
    if command.account.uid is not None:
        account = {"user": command.account.uid, "group": command.account.gid, "extra_groups": []}
    prepare: Callable[[], None] = lambda: die_with_parent(parent, command.death_signal)  # noqa: E731
    guard = watchdog()
    with command.log.open("ab") as log:
        _begun.setdefault(command.log, log.tell())
        child = subprocess.Popen(  # type: ignore[call-overload]
            list(command.arguments),
            stdin=subprocess.PIPE if command.stdin is not None else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=command.directory,
            env=command.environment,
            process_group=0,
            preexec_fn=prepare,
            **account,
        )
    if guard is not None:
        guard.tell(f"+{child.pid} {int(command.death_signal)}")
    if command.stdin is not None:
        child.stdin.write(command.stdin)
        child.stdin.close()
    return child  # type: ignore[no-any-return]


def stop(child: "subprocess.Popen[bytes]", signals: Sequence[int], patience: float) -> None:
    """Send each signal in turn, waiting `patience` seconds after each; what is left of its group is killed."""
    for number in signals:
        if child.poll() is None:
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.kill(child.pid, number)
                child.wait(timeout=patience)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    guard = watchdog()
    if guard is not None:
        guard.tell(f"-{child.pid}")


def wait_until(ready: Callable[[], bool], child: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """True once `ready()`; False when the child ended or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return True
        if child.poll() is not None:
            return False
        time.sleep(0.01)
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def failure(what: str, log: Path) -> LaunchError:
    """A refusal with the end of the program's log, or in one line where that tells of a full disk."""
    said = last_lines(log)
    if "No space left on device" in said:
        return LaunchError(f"the disk is full: {what} ({log})")
    return LaunchError(f"{what}; the end of {log}:\n{said}")


def last_lines(log: Path, count: int = 12) -> str:
    """Of what was written since this process first started something with that log: older runs had other reasons."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(_begun.get(log, 0))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])


def run_in_foreground(arguments: Sequence[str], directory: Path | None = None) -> int:
    """Run a program on our terminal and return its exit status; it dies with us."""
    parent = os.getpid()
    done = subprocess.run(list(arguments), cwd=directory, preexec_fn=lambda: die_with_parent(parent, signal.SIGTERM))
    return done.returncode
