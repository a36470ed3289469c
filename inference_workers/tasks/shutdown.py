"""How a child of the worker learns that its worker stops: celery tells only the parent, and on some systems the child
shares no memory with it."""

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

VARIABLE = "CARDINAL_WORKER_STOP_FOLDER"
STOP = "stop"

_terminated = False
_parent: int | None = None


def prepare() -> None:
    """In the parent, before it has children."""
    folder = tempfile.mkdtemp(prefix="cardinal-worker-")
    os.environ[VARIABLE] = folder
    atexit.register(_remove, folder, os.getpid())


def is_prepared() -> bool:
    return VARIABLE in os.environ


def announce() -> None:
    """In the parent: a warm shutdown waits for the task that runs, so the task has to hear of it."""
    if is_prepared():
        (Path(os.environ[VARIABLE]) / STOP).touch()


def watch_in_child() -> None:
    """In a child: remember the parent, and outlive a SIGTERM sent to the whole group until the task in hand ends."""
    global _parent
    _parent = os.getppid()
    signal.signal(signal.SIGTERM, _note_termination)


def is_stopping() -> bool:
    """Whether this worker, or the process that started it, is going or gone."""
    if _terminated or (_parent is not None and os.getppid() != _parent):
        return True
    return is_prepared() and (Path(os.environ[VARIABLE]) / STOP).exists()


class Busy:
    """While the block runs, SIGTERM only asks it to stop."""

    depth = 0

    def __enter__(self) -> None:
        Busy.depth += 1

    def __exit__(self, *error: Any) -> None:
        Busy.depth -= 1


def _note_termination(number: int, frame: FrameType | None) -> None:
    global _terminated
    _terminated = True
    if not Busy.depth:
        raise SystemExit(0)


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
