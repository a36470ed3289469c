"""Two to four texts released to one reader at a common pace, so that timing does not tell which model writes which.

Arithmetic alone: text and time go in, what may be shown comes out. Sides are named `a`, `b`, ... as shown.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from math import ceil, floor

# Seconds between two releases. They are counted from when a turn was asked, never from when text came.
TICK = 0.1
# Characters per second, at most and at least; a model that is slower than the least cannot be waited for.
FASTEST_PACE = 110.0
SLOWEST_PACE = 20.0
# How much must be there when text begins to flow, in seconds of it: a model that pauses for less is not noticed.
RESERVE = 2.0
SHORTEST_LEAD = 1.0
LONGEST_LEAD = 10.0
# Once text has run out it goes on when both sides are whole, at a multiple of these seconds.
HOLD = 5.0
CHARACTERS_PER_TOKEN = 3.5


@dataclass(frozen=True)
class Speed:
    """How fast one model was lately, on its slower days."""

    first_token_seconds: float
    tokens_per_second: float


@dataclass(frozen=True)
class Tempo:
    """What all battles of an arena have in common: their pace, and the steps in which their first text is waited for.

    It is that of the slowest model, whoever plays, so that it says nothing about who does.
    """

    pace: float = FASTEST_PACE
    lead: float = SHORTEST_LEAD

    @classmethod
    def of(cls, speeds: Iterable[Speed]) -> "Tempo":
        """Where nothing is known yet, what a small model on a processor nearly keeps."""
        known = [(each.first_token_seconds, each.tokens_per_second * CHARACTERS_PER_TOKEN) for each in speeds]
        if not known:
            return UNKNOWN
        slowest = min(rate for _, rate in known)
        # A tenth below it, in tens, so that a slightly slower day changes nothing.
        pace = min(FASTEST_PACE, max(SLOWEST_PACE, 10.0 * floor(0.9 * slowest / 10 + 1e-6)))
        ready = [first + RESERVE * pace / max(rate, pace) for first, rate in known]
        return cls(pace, min(LONGEST_LEAD, max(SHORTEST_LEAD, float(ceil(max(ready))))))


UNKNOWN = Tempo(60.0, 2.0)


def opening(tempo: Tempo, lengths: Collection[int], whole: float) -> float:
    """Seconds after a turn was asked at which all its texts may be read at once; the last was whole after `whole`.

    That is when a stream would have shown them at their pace from the first lead on: it tells no more than their
    lengths do. What is whole later than that waits for the next multiple of HOLD, as a stream that ran out does.
    `lengths` are those of the texts in characters; without any, what was written is a file or was held back.
    """
    if lengths and whole <= (shown := tempo.lead + max(lengths) / tempo.pace):
        return shown
    return HOLD * ceil(whole / HOLD - 1e-6)


@dataclass
class Side:
    text: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Flow:
    """How far a turn's texts were at a tick since it was asked, and whether they flow from there on. All readers of a
    turn follow one: each flow of its own would tell at another moment how far the models are."""

    ticks: int = 0
    position: int = 0
    flows: bool = False
    ran_out: bool = False

    def at(self, ticks: int, pace: float) -> int:
        """The position at a later tick, where nothing stopped it."""
        return self.position + max(0, ticks - self.ticks) * step_of(pace) if self.flows else self.position

    def follows(self, earlier: "Flow", pace: float) -> bool:
        """Whether it came out of an earlier one by nothing but time."""
        goes_on = (self.flows, self.ran_out) == (earlier.flows, earlier.ran_out)
        return goes_on and self.position == earlier.at(self.ticks, pace)


def step_of(pace: float) -> int:
    """Characters from one release to the next."""
    return round(pace * TICK)


@dataclass
class Lockstep:
    """All sides are shown up to the same number of characters, in equal steps at equal times.

    Text begins to flow at a multiple of the lead, once all sides have a reserve or are whole. It goes on at the same
    pace to its end, also where one side has ended before or all are whole. Where it runs out it stops until all sides
    are whole, so that the slowest one's own pace never shows.
    """

    tempo: Tempo = field(default_factory=Tempo)
    sides: dict[str, Side] = field(default_factory=lambda: {"a": Side(), "b": Side()})
    position: int = 0
    # How far this reader has been given the texts; one who comes later or returns is given more at once.
    released: int = 0
    # When its ticks began, and how many ago that was.
    clock: float | None = None
    ticks: int = 0
    flows: bool = False
    ran_out: bool = False

    @classmethod
    def of(cls, tempo: Tempo, sides: Iterable[str], *, now: float = 0.0, since: float = 0.0) -> "Lockstep":
        """For the sides of a battle, by their names, at `now` and as many seconds since they were asked. Ticks are
        counted from then, so that who begins to read at another moment is told at the same ones."""
        return cls(tempo, {name: Side() for name in sorted(sides)}, clock=now - since, ticks=floor(since / TICK))

    def join(self, flow: Flow) -> None:
        """Go on where the turn's other readers are."""
        self.position, self.ticks, self.flows, self.ran_out = flow.position, flow.ticks, flow.flows, flow.ran_out

    def go_on_from(self, position: int) -> None:
        """This reader has so much already."""
        self.released = position
        if not self.flows:
            self.position = max(self.position, position)

    def read_again(self) -> None:
        """This reader has nothing of it."""
        self.released = 0

    @property
    def flow(self) -> Flow:
        return Flow(self.ticks, self.position, self.flows, self.ran_out)

    def wait(self, now: float) -> None:
        """Let the ticks until now pass without text."""
        self.ticks = max(self.ticks, self.ticks_at(now))

    def ticks_at(self, now: float) -> int:
        return 0 if self.clock is None else floor((now - self.clock) / TICK + 1e-6)

    def write(self, side: str, text: str) -> None:
        self.sides[side].text += text

    def finish(self, side: str, text: str | None = None) -> None:
        """No more will come. `text`, if given, is the final text, which replaces what was streamed."""
        self.sides[side].whole = True
        if text is not None:
            self.sides[side].text = text

    def restart(self) -> None:
        """All sides begin again, whichever had to: a failure of one looks like a failure of either."""
        self.position, self.released, self.flows, self.ran_out = 0, 0, False, False

    def rewrite(self, side: str) -> None:
        self.sides[side] = Side()

    @property
    def done(self) -> bool:
        return all(side.whole and self.released >= len(side.text) for side in self.sides.values())

    def release(self, now: float) -> dict[str, str]:
        """What may be shown in addition at `now` (seconds, monotonic), by side; a side without news is left out."""
        if self.clock is None:
            self.clock = now
        while self.ticks < self.ticks_at(now):
            self.ticks += 1
            self._tick()
        before, self.released = self.released, max(self.released, self.position)
        return {name: new for name, side in self.sides.items() if (new := side.text[before : self.released])}

    def seconds_to_tick(self, now: float) -> float:
        """How long after `now` there can be news."""
        return 0.0 if self.clock is None else max(0.0, self.clock + (self.ticks + 1) * TICK - now)

    def _tick(self) -> None:
        if not self.flows:
            self.flows = self._may_flow()
        following = self.position + step_of(self.tempo.pace)
        if self.flows and not self.has(following):
            self.flows, self.ran_out = False, True
        if self.flows:
            self.position = following

    def _may_flow(self) -> bool:
        if self.ran_out:
            return self._at_a_multiple_of(HOLD) and all(side.whole for side in self.sides.values())
        return self._at_a_multiple_of(self.tempo.lead) and self.has(self.position + RESERVE * self.tempo.pace)

    def _at_a_multiple_of(self, seconds: float) -> bool:
        return self.ticks % round(seconds / TICK) == 0

    def has(self, wanted: float) -> bool:
        """Whether all sides are written up to here, or to their ends."""
        return all(side.whole or len(side.text) >= wanted for side in self.sides.values())
