"""Two texts released to one reader at a common pace, so that timing does not tell which model writes which.

Arithmetic alone: text and time go in, what may be shown comes out. Sides are named `a` and `b` as shown.
"""

from dataclasses import dataclass, field

# Characters per second while models write; once both are whole, the rest follows faster.
WRITING_PACE = 110.0
CATCHING_UP_PACE = 500.0


@dataclass
class Side:
    text: str = ""
    whole: bool = False


@dataclass
class Lockstep:
    """Both sides are shown up to the same number of characters: that of the slower one, at most the common pace.

    A side that is whole and shorter no longer holds the other back; how much text there is shows anyway.
    """

    sides: dict[str, Side] = field(default_factory=lambda: {"a": Side(), "b": Side()})
    position: float = 0.0
    clock: float | None = None

    def write(self, side: str, text: str) -> None:
        self.sides[side].text += text

    def finish(self, side: str, text: str | None = None) -> None:
        """No more will come. `text`, if given, is the final text, which replaces what was streamed."""
        self.sides[side].whole = True
        if text is not None:
            self.sides[side].text = text

    def restart(self) -> None:
        """Both sides begin again, whichever had to: a failure of one looks like a failure of either."""
        self.position = 0.0

    def rewrite(self, side: str) -> None:
        self.sides[side] = Side()

    @property
    def done(self) -> bool:
        return all(side.whole and self.position >= len(side.text) for side in self.sides.values())

    def release(self, now: float) -> dict[str, str]:
        """What may be shown in addition at `now` (seconds, monotonic), by side; a side without news is left out."""
        elapsed = 0.0 if self.clock is None else max(0.0, now - self.clock)
        self.clock = now
        before = int(self.position)
        self.position = min(self.position + elapsed * self.pace, self._ready())
        after = int(self.position)
        return {name: side.text[before:after] for name, side in self.sides.items() if side.text[before:after]}

    @property
    def pace(self) -> float:
        return CATCHING_UP_PACE if all(side.whole for side in self.sides.values()) else WRITING_PACE

    def _ready(self) -> float:
        """How far both may be shown: as far as every unfinished side has text, at most to the end of the longest."""
        writing = [len(side.text) for side in self.sides.values() if not side.whole]
        return float(min(writing) if writing else max(len(side.text) for side in self.sides.values()))
