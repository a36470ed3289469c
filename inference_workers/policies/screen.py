"""One completion's way from raw deltas to shown text."""

from collections.abc import Iterable

from inference_workers.enums import Rejection
from inference_workers.policies.leaks import LeakGuard
from inference_workers.policies.loops import is_looping
from inference_workers.policies.rejection import RejectedText
from inference_workers.policies.tags import EdgeFilter, TagFilter

LOOP_EVERY = 200
# Stored with each completion and exported with what was voted on. A change of any rule of this package gets a new one.
SCREEN_VERSION = "2"


class Screen:
    """One completion's way from raw deltas to shown text.

    Reasoning between think-tags and stray stop tokens go, as does white space at both ends; a text that names its
    model, loops or stays empty raises RejectedText. The stored text is exactly what was given out since the last reset.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._tags = TagFilter()
        self._ends = EdgeFilter()
        self._guard = LeakGuard(names)
        self._names = self._guard.names
        self._given: list[str] = []
        self._since_check = 0

    @property
    def text(self) -> str:
        return "".join(self._given)

    def push(self, raw: str) -> tuple[bool, str]:
        """Take the next delta. Returns whether readers must forget what they have, and what they get now."""
        before = self._tags.resets
        text = self._tags.push(raw)
        reset = self._tags.resets > before
        if reset:
            self._ends, self._guard = EdgeFilter(), LeakGuard(self._names)
            reset = bool(self._given)
            self._given.clear()
        return reset, self._give(self._guard.push(self._ends.push(text)))

    def finish(self) -> str:
        """The model's text has ended; returns the last piece."""
        last = self._give(self._guard.push(self._ends.push(self._tags.finish())) + self._guard.finish())
        if not self._given:
            raise RejectedText(Rejection.EMPTY)
        return last

    def _give(self, text: str) -> str:
        if text:
            self._given.append(text)
            self._since_check += len(text)
            if self._since_check >= LOOP_EVERY:
                self._since_check = 0
                if is_looping(self.text):
                    raise RejectedText(Rejection.LOOPING)
        return text
