"""The kinds of charts that figures are drawn as: rows with intervals, squares of a matrix, columns, points, lines."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10

from arena.web.figures.drawing import Drawing, Scale, ticks, width_of

WIDTH = 540.0
EDGE = 8.0
NAMES, VALUES = 156.0, 56.0
ROW, HEAD, FOOT = 26.0, 10.0, 30.0
SQUARE_WIDTH, SQUARE_HEIGHT, NUMBER = 34.0, 26.0, 30.0
KEY_WIDTH, KEY_HEIGHT = 128.0, 24.0
# Of charts with an axis on the left.
LEFT, TOP, TALL, BELOW = 64.0, 16.0, 240.0, 46.0
WIDEST = 56.0
# Lines of the history, as many as have a colour and a dash of their own.
MOST_LINES = 6
LABEL = 16.0


@dataclass(frozen=True)
class Frame:
    """What every drawing is given: its name, and words for who does not see it."""

    name: str
    title: str
    says: str

    def drawing(self, *, width: float = WIDTH, height: float) -> Drawing:
        return Drawing(self.name, width=width, height=height, title=self.title, says=self.says)


@dataclass(frozen=True)
class Span:
    """A value with its interval, in a row of its own; `heading` stands above the row."""

    name: str
    value: float
    lower: float | None
    upper: float | None
    shown: str
    is_open: bool = False
    heading: str = ""


def spans(frame: Frame, rows: Sequence[Span], shown: Callable[[float], str], *, middle: float | None = None) -> Drawing:
    """One below the other on a common axis. An end that is not known, or too far, reaches the edge."""
    height = HEAD + ROW * (len(rows) + sum(bool(row.heading) for row in rows)) + FOOT
    drawing = frame.drawing(height=height)
    marks = ticks(*_reach(rows, middle), most=6)
    scale = Scale(marks[0], marks[-1], EDGE + NAMES + 24, WIDTH - VALUES - 24)
    for mark in marks:
        drawing.line("fig-grid", scale.place(mark), HEAD, scale.place(mark), height - FOOT)
        drawing.text("fig-soft", scale.place(mark), height - FOOT + 18, shown(mark), anchor="middle")
    if middle is not None:
        drawing.line("fig-middle", scale.place(middle), HEAD, scale.place(middle), height - FOOT)
    y = HEAD
    for row in rows:
        if row.heading:
            drawing.text("fig-head", EDGE, y + 18, row.heading, room=WIDTH - 2 * EDGE)
            y += ROW
        _span(drawing, scale, row, y + ROW / 2)
        y += ROW
    return drawing


def _reach(rows: Sequence[Span], middle: float | None) -> tuple[float, float]:
    """Wide enough for every value, and for the intervals of all that are not still open."""
    values = [row.value for row in rows] + ([] if middle is None else [middle])
    values += [end for row in rows if not row.is_open for end in (row.lower, row.upper) if end is not None]
    return min(values), max(values)


def _span(drawing: Drawing, scale: Scale, row: Span, y: float) -> None:
    left = scale.start if row.lower is None else scale.place(row.lower)
    right = scale.end if row.upper is None else scale.place(row.upper)
    drawing.text("fig-ink", EDGE, y + 4.5, row.name, room=NAMES)
    drawing.line("fig-whisker", left, y, right, y)
    kind = "fig-dot fig-dot--open" if row.is_open else "fig-dot"
    drawing.dot(kind, scale.place(row.value), y, 6, says=f"{row.name}: {row.shown}")
    drawing.text("fig-ink", WIDTH - EDGE, y + 4.5, row.shown, anchor="end", room=VALUES)


@dataclass(frozen=True)
class Square:
    """A cell of a matrix: which of the key's colours, and the number in it."""

    colour: int
    shown: str


def matrix(
    frame: Frame,
    names: Sequence[str],
    squares: Mapping[tuple[int, int], Square],
    *,
    colours: str,
    key: Sequence[str],
) -> Drawing:
    """Each against each by row and column; columns bear the numbers of rows. What is in no cell stays empty."""
    left, top = EDGE + NUMBER + NAMES, HEAD + SQUARE_HEIGHT
    width = max(left + len(names) * SQUARE_WIDTH + EDGE, EDGE + 3 * KEY_WIDTH)
    a_line = int((width - EDGE) // KEY_WIDTH)
    bottom = top + len(names) * SQUARE_HEIGHT
    drawing = frame.drawing(width=width, height=bottom + EDGE + KEY_HEIGHT * -(-len(key) // a_line) + EDGE)
    xs = [left + place * SQUARE_WIDTH for place in range(len(names))]
    ys = [top + place * SQUARE_HEIGHT for place in range(len(names))]
    drawing.squares("fig-none", [(x, y) for x, y in zip(xs, ys, strict=True)], SQUARE_WIDTH, SQUARE_HEIGHT)
    said: dict[tuple[int, int], list[tuple[float, str]]] = defaultdict(list)
    corners: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for (row, column), each in squares.items():
        corners[each.colour].append((xs[column], ys[row]))
        said[row, each.colour].append((xs[column] + SQUARE_WIDTH / 2, each.shown))
    for colour in sorted(corners):
        drawing.squares(f"fig-{colours}{colour}", corners[colour], SQUARE_WIDTH, SQUARE_HEIGHT)
    drawing.texts("fig-soft", HEAD + 16, [(x + SQUARE_WIDTH / 2, str(n)) for n, x in enumerate(xs, start=1)])
    for row, (name, y) in enumerate(zip(names, ys, strict=True)):
        drawing.text("fig-soft", EDGE + NUMBER - 8, y + 17.5, str(row + 1), anchor="end")
        drawing.text("fig-ink", EDGE + NUMBER, y + 17.5, name, room=NAMES - 8)
        for colour in sorted(corners):
            drawing.texts(f"fig-on-{colours}{colour}", y + 17.5, said[row, colour])
    for place, words in enumerate(key):
        x, y = EDGE + place % a_line * KEY_WIDTH, bottom + EDGE + place // a_line * KEY_HEIGHT
        drawing.box(f"fig-{colours}{place} fig-key", x, y + 5, 14, 14)
        drawing.text("fig-soft", x + 20, y + 17, words, room=KEY_WIDTH - 24)
    return drawing


@dataclass(frozen=True)
class Column:
    name: str  # beneath it; empty for none
    value: float
    says: str


def columns(frame: Frame, bars: Sequence[Column], shown: Callable[[float], str]) -> Drawing:
    """Counts side by side from zero."""
    drawing, top, bottom = frame.drawing(height=TOP + TALL + BELOW), TOP, TOP + TALL
    marks = ticks(0.0, max(max(bar.value for bar in bars), 1.0), most=6, least=1.0)
    scale = Scale(0.0, marks[-1], bottom, top)
    _levels(drawing, scale, marks, shown, right=WIDTH - EDGE)
    step = (WIDTH - EDGE - LEFT) / len(bars)
    wide = min(WIDEST, step - min(6.0, step * 0.2))
    free = 0.0
    for place, bar in enumerate(bars):
        x, y = LEFT + place * step, scale.place(bar.value)
        if bar.value:
            drawing.box("fig-bar", x + (step - wide) / 2, y, wide, bottom - y, says=bar.says)
        free = _name_below(drawing, bar.name, x + step / 2, bottom + 20, free, right=WIDTH - EDGE)
    return drawing


def _levels(
    drawing: Drawing, scale: Scale, marks: Sequence[float], shown: Callable[[float], str], right: float
) -> None:
    for mark in marks:
        drawing.line("fig-grid", LEFT, scale.place(mark), right, scale.place(mark))
        drawing.text("fig-soft", LEFT - 8, scale.place(mark) + 4.5, shown(mark), anchor="end", room=LEFT - 12)
    drawing.line("fig-axis", LEFT, scale.start, right, scale.start)


def _name_below(drawing: Drawing, name: str, x: float, y: float, free: float, *, right: float) -> float:
    """A name under its place, unless it would touch the one before it or the edge; where the next may begin."""
    half = width_of(name) / 2
    if not name or x - half < free or x - half < 0 or x + half > right + EDGE:
        return free
    drawing.text("fig-soft", x, y, name, anchor="middle")
    return x + half + 10


@dataclass(frozen=True)
class Point:
    name: str
    x: float
    y: float
    lower: float
    upper: float
    in_front: bool
    says: str


def points(frame: Frame, found: Sequence[Point], *, across: str, up: str) -> Drawing:
    """Each at its place with its interval upwards; those in front joined by steps, and named first."""
    drawing, bottom = frame.drawing(height=TOP + 20 + TALL + BELOW + 16), TOP + 20 + TALL
    scale_x, marks_x = _across([each.x for each in found])
    marks = ticks(min(each.lower for each in found), max(each.upper for each in found), most=6)
    scale = Scale(marks[0], marks[-1], bottom, TOP + 20)
    _levels(drawing, scale, marks, plain, right=WIDTH - EDGE)
    free = 0.0
    for place, mark in marks_x:
        drawing.line("fig-grid", place, TOP + 20, place, bottom)
        free = _name_below(drawing, plain(mark), place, bottom + 20, free, right=WIDTH - EDGE)
    drawing.text("fig-soft", EDGE, TOP, up, room=WIDTH - 2 * EDGE)
    drawing.text("fig-soft", WIDTH - EDGE, bottom + 42, across, anchor="end", room=WIDTH - 2 * EDGE)
    front = sorted((scale_x(each.x), scale.place(each.y)) for each in found if each.in_front)
    drawing.path(
        "fig-front", [step for one, other in pairwise(front) for step in (one, (other[0], one[1]))] + front[-1:]
    )
    for each in sorted(found, key=lambda each: each.in_front):
        x = scale_x(each.x)
        drawing.line("fig-thin", x, scale.place(each.lower), x, scale.place(each.upper))
        kind = "fig-dot" if each.in_front else "fig-dot fig-dot--open"
        drawing.dot(kind, x, scale.place(each.y), 6, says=each.says)
    taken = [(scale_x(each.x) - 8, scale.place(each.y) - 8, 16.0, 16.0) for each in found]
    for each in sorted(found, key=lambda each: not each.in_front):
        _name_beside(drawing, each.name, scale_x(each.x), scale.place(each.y), taken, bottom)
    return drawing


def _across(values: Sequence[float]) -> tuple[Callable[[float], float], list[tuple[float, float]]]:
    """A scale from left to right; by factors of ten where the largest is more than thirty times the least."""
    start, end = LEFT + 12, WIDTH - EDGE - 24
    if min(values) > 0 and max(values) / min(values) > 30:
        logs = Scale(log10(min(values)), log10(max(values)), start, end)
        powers = [10.0**power for power in range(-9, 10) if min(values) <= 10.0**power <= max(values)]
        return lambda value: logs.place(log10(value)), [(logs.place(log10(mark)), mark) for mark in powers]
    marks = ticks(min(0.0, *values), max(values), most=7)
    scale = Scale(marks[0], marks[-1], start, end)
    return scale.place, [(scale.place(mark), mark) for mark in marks]


Box = tuple[float, float, float, float]


def _name_beside(drawing: Drawing, name: str, x: float, y: float, taken: list[Box], bottom: float) -> None:
    """Where it touches nothing; nowhere if there is no such place: pointing at the dot tells the name."""
    wide = min(width_of(name), 150.0)
    tries = [(x + 11, "start", x + 10), (x - 11, "end", x - 10 - wide)]
    for drop in (4.5, -12.0, 21.0):
        for at, anchor, left in tries:
            box = (left, y + drop - 12, wide, 16.0)
            inside = left >= LEFT and left + wide <= drawing.width - EDGE and box[1] >= TOP + 20 and y + drop <= bottom
            if inside and not any(_touch(box, other) for other in taken):
                drawing.text("fig-ink fig-over", at, y + drop, name, anchor=anchor, room=150)
                taken.append(box)
                return


def _touch(one: Box, other: Box) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


@dataclass(frozen=True)
class Line:
    """Parts of a line with gaps between them: places across, values up."""

    name: str
    parts: Sequence[Sequence[tuple[float, float]]]


def lines(frame: Frame, found: Sequence[Line], names: Mapping[float, str], shown: Callable[[float], str]) -> Drawing:
    """The first MOST_LINES, each with its name at its end. `names` are what stands beneath places."""
    drawing, bottom, right = frame.drawing(height=TOP + TALL + BELOW), TOP + TALL, WIDTH - EDGE - NAMES
    drawn = [line for line in found if any(line.parts)][:MOST_LINES]
    everything = [point for line in drawn for part in line.parts for point in part]
    marks = ticks(min(y for _x, y in everything), max(y for _x, y in everything), most=6)
    up = Scale(marks[0], marks[-1], bottom, TOP)
    across = Scale(min(x for x, _y in everything), max(x for x, _y in everything), LEFT + 8, right - 16)
    _levels(drawing, up, marks, shown, right=right)
    free = 0.0
    for x, name in names.items():
        free = _name_below(drawing, name, across.place(x), bottom + 20, free, right=right)
    for number, line in enumerate(drawn):
        for part in line.parts:
            places = [(across.place(x), up.place(y)) for x, y in part]
            drawing.path(f"fig-line fig-line{number}", places)
            for x, y in places:
                drawing.dot(f"fig-spot{number}", x, y, 3 if len(places) > 1 else 4)
    ends = [(up.place(line.parts[-1][-1][1]), number, line) for number, line in enumerate(drawn)]
    below = TOP - LABEL
    for place, (y, number, line) in enumerate(sorted(ends, key=lambda each: each[0])):
        lowest = bottom - LABEL * (len(ends) - 1 - place)
        below = min(max(y, below + LABEL), lowest)
        drawing.line(f"fig-line fig-line{number}", right + 4, below, right + 26, below)
        drawing.text("fig-ink", right + 32, below + 4.5, line.name, room=NAMES - 32)
    return drawing


def plain(value: float) -> str:
    """A mark of an axis, without needless digits."""
    return f"{value:.6g}"
