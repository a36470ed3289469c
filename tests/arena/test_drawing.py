"""Scales, marks of axes, and the elements that are drawn with them: whatever the numbers and the names are."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.web.figures import charts
from arena.web.figures.drawing import Drawing, Scale, cut, ticks, width_of

VALUES = st.floats(-1e6, 1e6).map(lambda value: round(value, 4))
SOME = st.lists(VALUES, min_size=1, max_size=12)
NAMES = st.text(max_size=60)
SVG = "{http://www.w3.org/2000/svg}"
FRAME = charts.Frame("a", "A title", "What it says")


def places(drawing: Drawing) -> list[tuple[float, float]]:
    """Every point of every element but texts, whose width only a browser knows."""
    found = []
    for each in ElementTree.fromstring(drawing.file("")).iter():
        at = {name: float(value) for name, value in each.attrib.items() if name in WHERE}
        kind = each.tag.removeprefix(SVG)
        if kind == "line":
            found += [(at["x1"], at["y1"]), (at["x2"], at["y2"])]
        elif kind == "rect":
            assert min(at["width"], at["height"]) >= 0
            found += [(at["x"], at["y"]), (at["x"] + at["width"], at["y"] + at["height"])]
        elif kind == "circle":
            found += [(at["cx"] - at["r"], at["cy"] - at["r"]), (at["cx"] + at["r"], at["cy"] + at["r"])]
        elif kind == "text":
            found.append((at.get("x", 0.0), at["y"]))
        elif kind == "polyline":
            found += [tuple(map(float, pair.split(","))) for pair in each.attrib["points"].split()]
    return found


WHERE = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"}


def check_inside(drawing: Drawing) -> None:
    assert [
        (x, y) for x, y in places(drawing) if not (-0.01 <= x <= drawing.width + 0.01 and 0 <= y <= drawing.height)
    ] == []


@given(SOME, st.integers(4, 12), st.sampled_from([0.0, 1.0]))
def test_marks_hold_all_values_at_equal_steps_and_are_few(values, most, least):
    marks = ticks(min(values), max(values), most=most, least=least)
    assert marks[0] <= min(values)
    assert marks[-1] >= max(values)
    assert 2 <= len(marks) <= most + 1
    steps = [other - one for one, other in pairwise(marks)]
    assert min(steps) > 0.999 * least
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-3)


@pytest.mark.parametrize(("low", "high"), [(1, 0), (float("nan"), 1), (0, float("inf"))])
def test_there_are_no_marks_from_nowhere_to_nowhere(low, high):
    with pytest.raises(ValueError, match="there is no scale"):
        ticks(low, high)


@given(SOME, VALUES, VALUES)
def test_a_scale_keeps_order_and_puts_equal_values_at_equal_places(values, one, other):
    scale = Scale(min(values), max(values), 20, 500)
    assert all(20 <= scale.place(value) <= 500 for value in (one, other))
    assert (scale.place(one) <= scale.place(other)) or one > other
    assert scale.place(one) == scale.place(one)
    assert Scale(min(values), max(values), 500, 20).place(one) == pytest.approx(520 - scale.place(one), abs=0.011)


@given(NAMES, st.floats(30, 300))
def test_a_text_that_is_cut_fits(name, width):
    assert width_of(cut(name, width)) <= width + 0.001
    head, dots, tail = cut(name, width).partition("…") if width_of(name) > width else (name, "", "")
    assert name.startswith(head)
    assert name.endswith(tail)
    assert bool(dots) == (width_of(name) > width)


def test_names_that_begin_alike_are_told_apart_by_their_ends():
    names = "claude-3-7-sonnet-20250219", "claude-3-7-sonnet-20250219-thinking-32k"
    assert len({cut(name, 150) for name in names}) == 2


@settings(max_examples=40)
@given(st.lists(st.tuples(NAMES, VALUES, VALUES, VALUES, st.booleans()), min_size=1, max_size=9))
def test_nothing_of_any_chart_is_drawn_outside_its_box(rows):
    names = [row[0] for row in rows]
    several = [
        charts.Span(name, value, None if is_open else min(value, low), max(value, high), "1", is_open, heading=name[:3])
        for name, value, low, high, is_open in rows
    ]
    check_inside(charts.spans(FRAME, several, charts.plain))
    check_inside(charts.spans(FRAME, several, charts.plain, middle=0.5))
    squares = {
        (row, column): charts.Square((row + column) % 3, "50") for row in range(len(rows)) for column in range(row)
    }
    check_inside(charts.matrix(FRAME, names, squares, colours="count", key=["one", "two", "three"]))
    bars = [charts.Column(name, abs(value), name) for name, value, *_ in rows]
    check_inside(charts.columns(FRAME, bars, charts.plain))
    points = [
        charts.Point(name, abs(low), value, min(value, high), max(value, high), place == 0, name)
        for place, (name, value, low, high, _open) in enumerate(rows)
    ]
    check_inside(charts.points(FRAME, points, across="dollars", up="worth"))
    lines = [charts.Line(name, [[(1.0, value), (2.0, low)], [(4.0, high)]]) for name, value, low, high, _open in rows]
    check_inside(charts.lines(FRAME, lines, {1.0: "one", 4.0: "four"}, charts.plain))


@given(NAMES)
def test_whatever_a_model_is_called_the_picture_is_xml_and_the_name_a_text(name):
    drawing = Drawing("a", width=100, height=50, title=name, says=name)
    drawing.text("fig-ink", 1, 20, name, room=60)
    root = ElementTree.fromstring(drawing.file("rect { fill: red }"))
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {"svg", "title", "desc", "style", "rect", "text"}
    kept = "".join(char for char in root.find(f"{SVG}title").text or "" if char != "\ufffd")
    assert kept.replace("\n", "").replace("\r", "") in name.replace("\n", "").replace("\r", "") or "\ufffd" in (
        root.find(f"{SVG}title").text or ""
    )


def test_a_name_that_is_markup_stays_a_text_in_a_page_and_in_a_file():
    drawing = Drawing("a", width=100, height=50, title='"><script>', says="&")
    drawing.text("fig-ink", 1, 20, "<script>alert(1)</script>", room=20)
    for said in (drawing.markup, drawing.file("")):
        assert "<script" not in said
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in said
