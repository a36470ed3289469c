"""Where the kernel has no death signal (macOS): a process that outlives its parent just long enough to tidy up.

The parent holds the writing end of a pipe and tells over it which children it has, `+PID SIGNAL` and `-PID`.
When the pipe ends, however the parent ended, each child that is left gets its signal, and 10 s later SIGKILL.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PATIENCE = 10


class Watchdog:
    """The parent's end. One per process; `tell` is a line on the pipe."""

    def __init__(self) -> None:
        reading, self.pipe = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.launch.watchdog"],
            cwd=Path(__file__).resolve().parents[2],
            stdin=reading,
            start_new_session=True,
        )
        os.close(reading)

    def tell(self, line: str) -> None:
        with suppress(BrokenPipeError):
            os.write(self.pipe, f"{line}\n".encode())


def watch(lines: Iterable[str]) -> None:
    signals: dict[int, int] = {}
    for line in lines:
        words = line[1:].split()
        if line[0] == "+":
            signals[int(words[0])] = int(words[1])
        else:
            signals.pop(int(words[0]), None)
    for process, number in signals.items():
        send(process, number)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and any(is_alive(process) for process in signals):
        time.sleep(0.1)
    for process in signals:
        send(process, signal.SIGKILL)


def send(process: int, number: int) -> None:
    """SIGKILL goes to the whole group of the child, a polite signal to the child alone."""
    with suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL:
            os.killpg(process, number)
        else:
            os.kill(process, number)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch(sys.stdin)
