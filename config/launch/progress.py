"""Steps on the terminal: each one line with its time. Standard library alone, Python 3.11."""

import itertools
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
WIDTH = 52


class Progress:
    """A terminal sees the running step turn; a pipe gets plain lines."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.colored = self.live and "NO_COLOR" not in os.environ
        self.unicode = (getattr(self.stream, "encoding", None) or "").lower().startswith("utf")
        self.lock = threading.Lock()
        self.status = ""

    @contextmanager
    def step(self, name: str, *, long: bool = False) -> Iterator[None]:
        """Show `name` while the body runs, then its time; `long` tells a pipe at the beginning, too."""
        begun = time.monotonic()
        ended = threading.Event()
        spinner = threading.Thread(target=self.spin, args=(name, begun, ended), daemon=True)
        if self.live:
            spinner.start()
        elif long:
            self.line(f"  … {name}")
        try:
            yield
        except BaseException:
            self.finish_spinner(spinner, ended)
            self.mark(name, begun, failed=True)
            raise
        self.finish_spinner(spinner, ended)
        self.mark(name, begun, failed=False)

    def finish_spinner(self, spinner: threading.Thread, ended: threading.Event) -> None:
        ended.set()
        if spinner.is_alive():
            spinner.join()

    def spin(self, name: str, begun: float, ended: threading.Event) -> None:
        for frame in itertools.cycle(FRAMES if self.unicode else "|/-\\"):
            with self.lock:
                self.stream.write(f"\r\x1b[K  {frame} {name:<{WIDTH}}{time.monotonic() - begun:6.1f} s")
                self.stream.flush()
            if ended.wait(0.1):
                return

    def mark(self, name: str, begun: float, *, failed: bool) -> None:
        good, bad = ("✓", "✗") if self.unicode else ("ok", "failed")
        sign = self.color(bad, "31") if failed else self.color(good, "32")
        self.line(f"  {sign} {name:<{WIDTH}}{time.monotonic() - begun:6.1f} s")

    def line(self, text: str = "") -> None:
        """One whole line, in place of the live one if there is any; the live status returns below it."""
        if not self.unicode:
            text = text.replace("…", "...").replace("·", "-")
        with self.lock:
            self.stream.write(f"\r\x1b[K{text}\n{self.status}" if self.live else f"{text}\n")
            self.stream.flush()

    def show_status(self, text: str) -> None:
        """On a terminal, the last line, replaced each time and cut to its width; a pipe is spared it."""
        text = text[: shutil.get_terminal_size().columns - 1]
        if self.live and text != self.status:
            with self.lock:
                self.status = text
                self.stream.write(f"\r\x1b[K{text}")
                self.stream.flush()

    def bold(self, text: str) -> str:
        return self.color(text, "1")

    def color(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colored else text
