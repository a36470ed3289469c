"""Where the marks of a chart over time stand, in percent of its picture: what a browser draws without a script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

# Between two bars, as a share of a step.
GAP = 0.2
NAMES = 6


@dataclass(frozen=True)
class Bar:
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Part:
    """From one step's value to the next's; a dot where a step stands alone."""

    x1: str
    y1: str
    x2: str
    y2: str

    @property
    def is_dot(self) -> bool:
        return (self.x1, self.y1) == (self.x2, self.y2)


@dataclass(frozen=True)
class Line:
    """`kind` is its class in the style sheet, `name` what its key calls it."""

    kind: str
    name: str
    parts: list[Part]


@dataclass(frozen=True)
class Chart:
    """`top` is the value of the highest line of the grid, `half` of the middle one."""

    title: str
    unit: str
    top: float
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()

    @property
    def half(self) -> float:
        return self.top / 2

    @property
    def is_empty(self) -> bool:
        return not self.bars and not any(line.parts for line in self.lines)


def bar_chart(title: str, unit: str, values: Sequence[float | None], *, top: float | None = None) -> Chart:
    """A bar for each step with a value above nothing."""
    most = top or round_above(max((value for value in values if value is not None), default=0.0))
    wide = 100 / max(len(values), 1)
    bars = [
        Bar(_percent((n + GAP / 2) * wide), _percent(100 * (1 - value / most)), _percent(wide * (1 - GAP)), height)
        for n, value in enumerate(values)
        if value
        for height in [_percent(100 * value / most)]
    ]
    return Chart(title, unit, most, bars=bars)


def line_chart(title: str, unit: str, series: Sequence[tuple[str, str, Sequence[float | None]]]) -> Chart:
    """Lines of one scale, each a kind, a name and its values; a step without a value is a gap."""
    most = round_above(max((value for *_, values in series for value in values if value is not None), default=0.0))
    return Chart(title, unit, most, lines=[Line(kind, name, _parts(values, most)) for kind, name, values in series])


def _parts(values: Sequence[float | None], most: float) -> list[Part]:
    wide = 100 / max(len(values), 1)
    points = [
        None if value is None else (_percent((n + 0.5) * wide), _percent(100 * (1 - value / most)))
        for n, value in enumerate(values)
    ]
    parts = []
    for before, here, after in zip([None, *points], points, [*points[1:], None], strict=False):
        if here is not None and after is not None:
            parts.append(Part(*here, *after))
        elif here is not None and before is None:
            parts.append(Part(*here, *here))
    return parts


def step_names(begins: Sequence[datetime]) -> list[tuple[str, datetime]]:
    """Some of the steps by name, where they stand."""
    wide, every = 100 / max(len(begins), 1), max(len(begins) // NAMES, 1)
    chosen = range(every // 2, len(begins), every)
    return [(_percent((n + 0.5) * wide), begins[n]) for n in chosen]


def round_above(value: float) -> float:
    """The next of 1, 2, 5, 10, … that is no less; 1 where there is nothing."""
    if value <= 0:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    return next(float(f"{factor * scale:.6g}") for factor in (1, 2, 5, 10) if factor * scale >= value * (1 - 1e-9))


def _percent(value: float) -> str:
    return f"{value:.2f}%"
