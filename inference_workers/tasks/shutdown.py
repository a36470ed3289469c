"""How a child of the worker learns that its worker stops: celery tells only the parent, and waits for the task."""

import contextlib
import os
import signal
from collections.abc import Iterable
from types import FrameType
from typing import Any

# In the environment, since on some systems a child shares no memory with its parent.
VARIABLE = "CARDINAL_GENERATION_WORKER"

_stopping = False
_parent: int | None = None


def prepare() -> None:
    """In the parent of a generation worker, before it has children."""
    os.environ[VARIABLE] = "1"


def is_prepared() -> bool:
    return VARIABLE in os.environ


def announce(children: Iterable[int]) -> None:
    """In the parent, when it begins to stop; also for a task that runs in the parent itself."""
    global _stopping
    _stopping = True
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGUSR2)


def watch_in_child() -> None:
    """In a child: hear the announcement, and outlive a SIGTERM sent to the whole group until the task in hand ends."""
    global _parent
    _parent = os.getppid()
    signal.signal(signal.SIGUSR2, _note)
    signal.signal(signal.SIGTERM, _note)


def is_stopping() -> bool:
    """Whether this worker is going, or the process that started it is gone."""
    return _stopping or (_parent is not None and os.getppid() != _parent)


class Busy:
    """While the block runs, SIGTERM only asks it to stop."""

    depth = 0

    def __enter__(self) -> None:
        Busy.depth += 1

    def __exit__(self, *error: Any) -> None:
        Busy.depth -= 1


def _note(number: int, frame: FrameType | None) -> None:
    global _stopping
    _stopping = True
    if number == signal.SIGTERM and not Busy.depth:
        raise SystemExit(0)
