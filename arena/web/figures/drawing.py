"""From numbers to the elements of an SVG. It knows no board, no request and no colour: classes stand for colours.

Everything is drawn in pixels of a box of a stated size, which a page shows at that size: text is never shrunk.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from unicodedata import east_asian_width
from xml.etree import ElementTree

# How wide a character of 13 pixels is taken for at most, on average over a word; one of a square script.
WIDE, SQUARE = 7.4, 13.5
# What no XML may hold; names of models come from files.
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Where values from `low` to `high` stand between two pixels; what lies outside stands at the end it is beyond."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        if self.high == self.low:
            return round((self.start + self.end) / 2, 2)
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return round(self.start + share * (self.end - self.start), 2)


def ticks(low: float, high: float, *, most: int = 7, least: float = 0.0) -> list[float]:
    """At most so many round numbers at equal steps of `least` or more, ascending: the first is not above `low`, the
    last not below `high`."""
    if not (isfinite(low) and isfinite(high)) or high < low:
        raise ValueError(f"there is no scale from {low} to {high}")
    if high == low:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    power = 10.0 ** floor(log10(max((high - low) / most, least)))
    for step in (size * power * tens for tens in (1, 10, 100, 1000) for size in STEPS):
        first, last = floor(low / step), ceil(high / step)
        if last - first < most and step >= least:
            break
    return [number * step for number in range(first, last + 1)]


def width_of(text: str) -> float:
    """About how many pixels a text takes, never far too few."""
    return sum(SQUARE if east_asian_width(char) in "WF" else WIDE for char in text)


def cut(text: str, width: float) -> str:
    """As much of a text as fits, without its middle: names often begin alike, and end in what tells them apart."""
    if width_of(text) <= width:
        return text
    kept = len(text) - 1
    while kept and width_of(_ends(text, kept)) > width - SQUARE:
        kept -= 1
    head = _ends(text, kept)[: kept - kept // 2]
    return head.rstrip() + "…" + _ends(text, kept)[kept - kept // 2 :].lstrip()


def _ends(text: str, kept: int) -> str:
    """So many characters of its beginning and its end."""
    return text[: kept - kept // 2] + text[len(text) - kept // 2 :]


class Drawing:
    """An SVG that grows. `name` makes its ids its own on a page of several."""

    def __init__(self, name: str, *, width: float, height: float, title: str, says: str) -> None:
        size = {
            "width": _number(width),
            "height": _number(height),
            "viewBox": f"0 0 {_number(width)} {_number(height)}",
        }
        ids = f"{name}-picture-title {name}-picture-says"
        self.width, self.height = width, height
        self.root = ElementTree.Element("svg", {"class": "fig", "role": "img", "aria-labelledby": ids, **size})
        for tag, words in (("title", title), ("desc", says)):
            ElementTree.SubElement(self.root, tag, id=f"{name}-picture-{_END[tag]}").text = _safe(words)
        self.add("rect", "fig-ground", x=0, y=0, width=width, height=height)

    def add(self, tag: str, kind: str, **where: float | str) -> ElementTree.Element:
        places = {name.replace("_", "-"): _number(value) for name, value in where.items()}
        return ElementTree.SubElement(self.root, tag, {"class": kind, **places})

    def line(self, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        self.add("line", kind, x1=x1, y1=y1, x2=x2, y2=y2)

    def box(self, kind: str, x: float, y: float, width: float, height: float, *, says: str = "") -> None:
        _say(self.add("rect", kind, x=x, y=y, width=width, height=height), says)

    def dot(self, kind: str, x: float, y: float, radius: float, *, says: str = "") -> None:
        _say(self.add("circle", kind, cx=x, cy=y, r=radius), says)

    def path(self, kind: str, points: Iterable[tuple[float, float]]) -> None:
        """A line through points."""
        said = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        ElementTree.SubElement(self.root, "polyline", {"class": kind, "points": said})

    def squares(self, kind: str, corners: Sequence[tuple[float, float]], width: float, height: float) -> None:
        """Many boxes of one size and colour as one element, which is a tenth of the bytes."""
        if corners:
            one = f"h{_number(width)}v{_number(height)}h-{_number(width)}z"
            said = "".join(f"M{_number(x)} {_number(y)}{one}" for x, y in corners)
            ElementTree.SubElement(self.root, "path", {"class": kind, "d": said})

    def text(self, kind: str, x: float, y: float, words: str, *, anchor: str = "start", room: float = 0) -> None:
        """`room` is how wide it may be: what is longer is cut and can be read whole by who points at it."""
        element = self.add("text", kind, x=x, y=y, text_anchor=anchor)
        element.text = _safe(cut(words, room) if room else words)
        if room and element.text != _safe(words):
            _say(element, words)

    def texts(self, kind: str, y: float, said: Sequence[tuple[float, str]]) -> None:
        """Short texts centred at places of one line."""
        if said:
            line = self.add("text", kind, y=y, text_anchor="middle")
            for x, words in said:
                ElementTree.SubElement(line, "tspan", x=_number(x)).text = _safe(words)

    @property
    def markup(self) -> str:
        """For within a page; every text in it is escaped."""
        return ElementTree.tostring(self.root, encoding="unicode")

    def file(self, style: str) -> str:
        """For itself, with the rules for its classes."""
        whole = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **self.root.attrib})
        ElementTree.SubElement(whole, "style").text = style
        whole.extend(self.root)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(whole, encoding="unicode")


_END = {"title": "title", "desc": "says"}


def _say(element: ElementTree.Element, words: str) -> None:
    if words:
        ElementTree.SubElement(element, "title").text = _safe(words)


def _safe(text: str) -> str:
    return NO_XML.sub("\ufffd", text)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
