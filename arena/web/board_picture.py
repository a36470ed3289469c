"""A board as one picture that stands alone: what other sites show of it, and nothing but that."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.boards.wording import board_sentence, interval_words, number
from annotation.models import LeaderboardSnapshot
from arena.web.board_page import decimals_of, rating_axis

# Of the picture, in its own units, which are pixels of a phone 390 wide. Intervals lie between LEFT and RIGHT.
WIDTH, LEFT, RIGHT = 390, 16, 374
TOP, ROW, AXIS, LINE = 72, 38, 26, 15
MOST_MODELS = 10
# Letters of a line, at the sizes of the picture's style; a name longer than that is cut.
NAME_LETTERS, TITLE_LETTERS, WORDS_LETTERS = 34, 40, 54
# What XML cannot hold, in whatever a model is called.
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Bar:
    """One model. Places are written out: no language puts a comma into them."""

    rank: str
    model: str
    value: str
    said: str
    text_y: str
    y: str
    left: str
    dot: str
    right: str
    provisional: bool


def picture_of(snapshot: LeaderboardSnapshot) -> str:
    """An SVG of the first models of the first group; the others have no common scale with them."""
    standings = snapshot.standings
    group = [entry for entry in standings["entries"] if entry["group"] == 1]
    shown = group[:MOST_MODELS]
    bars, lines = _drawn(shown, standings["scale"]) if shown else ([], [])
    bottom = TOP + ROW * max(len(bars), 1)
    words = wrap(board_sentence(standings, snapshot.slice), WORDS_LETTERS, max_lines=4, placeholder=" …")
    left = len(standings["entries"]) - len(shown)
    if left and shown:
        more = ngettext("%(count)s more model is not drawn.", "%(count)s more models are not drawn.", left)
        words.append(more % {"count": left})
    context = {
        "title": snapshot.board.name,
        "short_title": _cut(snapshot.board.name, TITLE_LETTERS),
        "said": _said(snapshot),
        "bars": bars,
        "lines": lines,
        "top": TOP - 6,
        "bottom": bottom,
        "axis_y": bottom + 14,
        "words": [(line, f"{bottom + AXIS + LINE * (place + 1)}") for place, line in enumerate(words)],
        "width": WIDTH,
        "height": bottom + AXIS + LINE * (len(words) + 1),
    }
    return NO_XML.sub("", render_to_string("arena/board_picture.svg", context))


def _said(snapshot: LeaderboardSnapshot) -> str:
    words = {
        "number": snapshot.number,
        "day": date_format(snapshot.created_at, "j M Y"),
        "judgments": f"{snapshot.judgments:,}",
    }
    if snapshot.judgments == 1:
        return _("Snapshot %(number)d · %(day)s · 1 judgment") % words
    return _("Snapshot %(number)d · %(day)s · %(judgments)s judgments") % words


def _drawn(entries: Sequence[Mapping[str, Any]], scale: Mapping[str, Any]) -> tuple[list[Bar], list[tuple[str, str]]]:
    """The bars, and the lines of the axis with their labels."""
    axis, decimals = rating_axis(entries, scale), decimals_of(scale)

    def place(value: float | None, missing: float) -> str:
        share = missing if value is None else (value - axis.low) / (axis.high - axis.low)
        return f"{LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share)):.1f}"

    bars = []
    for position, entry in enumerate(entries):
        low, high, top = entry["rank_low"], entry["rank_high"], TOP + ROW * position
        bars.append(
            Bar(
                rank=str(low) if low == high else f"{low}–{high}",
                model=_cut(entry["model"], NAME_LETTERS),
                value=number(entry["rating"], decimals),
                said=f"{entry['model']}: {number(entry['rating'], decimals)}, {interval_words(entry, decimals)}",
                text_y=f"{top + 12}",
                y=f"{top + 24}",
                left=place(entry["lower"], 0),
                dot=place(entry["rating"], 0),
                right=place(entry["upper"], 1),
                provisional=entry["provisional"],
            )
        )
    few = axis.lines[:: max(1, len(axis.lines) // 4)]
    return bars, [(place(value, 0), f"{value:g}") for _share, value in few]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
