"""What the page of a board shows, made ready for its templates: words, shares of the axis, who may retire what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.enums import Role
from accounts.models import User
from annotation.boards.slices import FIELDS, slice_label
from annotation.boards.wording import (
    NOTES,
    REASONS,
    Words,
    board_sentence,
    interval_words,
    method_words,
    number,
    reason_words,
)
from annotation.enums import SourceKind
from annotation.models import Board, LeaderboardSnapshot, Source
from annotation.policies.boards import is_shown, may_publish, sees_hidden_boards
from annotation.queries import public_boards, readable_snapshot, slices_of
from annotation.queries.snapshots import neighbours_of
from arena.models import Arena
from arena.queries import arena_of, default_board, waiting_models
from arena.queries.arenas import tested_in
from arena.web.board_beside import beside_whole, excluded_votes
from arena.web.board_orders import orders_shown
from arena.web.board_tables import attributes_shown
from arena.web.kept_boards import kept_page, reads_as_everybody, stamp_of
from foundation.templatetags.text import percent

# Steps between the lines of a chart.
SCORE_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100)
RATING_STEPS = (10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000)
WORTH_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000)
MOST_LINES = 8
# Boards longer than this show their table before their chart.
SHORT = 12


@dataclass(frozen=True)
class Axis:
    """Where values stand on a chart, in percent of its width."""

    low: float
    high: float
    step: float

    @classmethod
    def around(cls, values: Sequence[float], steps: Sequence[float]) -> "Axis":
        """The fewest round lines that hold all values."""
        least, most = min(values), max(values)
        for step in steps:
            low, high = floor(least / step) * step, ceil(most / step) * step
            if high == low:
                high = low + step
            if (high - low) / step < MOST_LINES:
                break
        return cls(low, high, step)

    def place(self, value: float | None, *, missing: float) -> str:
        """With a dot, whatever the language; what lies outside stands at the edge, no bound at the edge `missing`."""
        share = missing if value is None else (value - self.low) / (self.high - self.low)
        return f"{100 * min(1.0, max(0.0, share)):.2f}%"

    @property
    def lines(self) -> list[tuple[str, float]]:
        count = round((self.high - self.low) / self.step)
        values = [self.low + step * self.step for step in range(count + 1)]
        return [(self.place(value, missing=0), value) for value in values]


@dataclass(frozen=True)
class Bar:
    """An interval on an axis."""

    left: str
    dot: str
    right: str

    @classmethod
    def of(cls, axis: Axis, value: float, lower: float | None, upper: float | None) -> "Bar":
        return cls(axis.place(lower, missing=0), axis.place(value, missing=0), axis.place(upper, missing=1))


@dataclass(frozen=True)
class Row:
    """One contestant of a group."""

    entry: Mapping[str, Any]
    rank: str
    interval: str
    simulated: str
    bar: Bar | None = None
    worth_bar: Bar | None = None


@dataclass(frozen=True)
class Group:
    """Contestants with a common scale; number 0 holds those without a rating."""

    number: int
    rows: list[Row]
    axis: Axis | None


def page_context(board: Board, user: Any) -> dict[str, Any]:
    """What a board's page is made of, with its newest snapshot: all that `whole_context` and its templates go by."""
    snapshot, arena = readable_snapshot(board), arena_of(board)
    context = {
        "board": board,
        "address": reverse("board", args=[board.slug]),
        "is_shown": is_shown(board),
        "others": [(other, newest) for other, newest in public_boards() if _is_other(other, board)],
        "slices": slice_links(board, user),
        "makes_slices": may_publish(user) and (board.parent is not None or not board.slice),
        "may_retire": may_retire(user),
        "tested": tested_in(arena) if arena else [],
        "may_publish": decides_who_sees(user, board),
        "waiting": waiting_models(arena, _contestants(snapshot)) if arena else [],
    }
    more = beside_whole(board, snapshot) | excluded_votes(board, snapshot, user)
    return context | _snapshot_context(snapshot, arena) | more


def frozen_context(snapshot: LeaderboardSnapshot) -> dict[str, Any]:
    """Likewise, of the page of one snapshot, which moves no more: without what is said of now alone."""
    board = snapshot.board
    context = {
        "board": board,
        "address": reverse("board-snapshot", args=[board.slug, snapshot.number]),
        "is_shown": is_shown(board),
        "frozen": neighbours_of(snapshot),
    }
    return context | _snapshot_context(snapshot, arena_of(board))


def _snapshot_context(snapshot: LeaderboardSnapshot | None, arena: Arena | None) -> dict[str, Any]:
    left_out = _retired(snapshot)
    return {
        "snapshot": snapshot,
        "arena": arena,
        "left_out_sources": left_out,
        "may_restore": any(source.kind == SourceKind.SIMULATION for source in left_out),
    }


def board_page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page, which is made once for everybody who is not signed in."""
    context = context | {"absolute": request.build_absolute_uri(context["address"])}
    if not reads_as_everybody(request):
        return render(request, template, whole_context(context))
    # Nothing on the page is sent by who is not signed in.
    without_token = {"csrf_token": ""}
    return kept_page(
        request, stamp_of(context), lambda: render(request, template, whole_context(context) | without_token)
    )


def whole_context(context: dict[str, Any]) -> dict[str, Any]:
    """With what follows from the snapshot alone."""
    snapshot = context["snapshot"]
    return context | (standings_context(snapshot) if snapshot else {})


def _is_other(other: Board, board: Board) -> bool:
    """Slices are named with the whole that they are of, and the whole with its slices."""
    return other.parent_id is None and other.pk not in (board.pk, board.parent_id)


@dataclass(frozen=True)
class SliceLink:
    """A slice by what sets it apart from others of its field; `judgments` is None before it was computed."""

    board: Board
    label: str
    judgments: int | None
    is_here: bool


def slice_links(board: Board, user: Any) -> dict[str, list[SliceLink]]:
    """The slices of the whole that this board is, or is of, by the title of their field; the largest first."""
    links: dict[str, list[SliceLink]] = {}
    for each in sorted(slices_of(board.parent or board, hidden=sees_hidden_boards(user)), key=_slice_order):
        title, label = slice_label(each.slice)
        links.setdefault(title, []).append(SliceLink(each, label, each.judgments, each.pk == board.pk))
    return links


def _slice_order(board: Any) -> tuple[int, int]:
    """Those of several fields last."""
    fields = [place for place, name in enumerate(FIELDS) if name in board.slice]
    return (fields[0] if len(fields) == 1 else len(FIELDS), -(board.judgments or 0))


def decides_who_sees(user: Any, board: Board) -> bool:
    """The arena's own board is what the leaderboard is: it has no button."""
    return may_publish(user) and board != default_board()


def may_retire(user: Any) -> bool:
    return isinstance(user, User) and user.is_active and user.has_role(Role.OPERATOR, Role.CAMPAIGN_ADMIN)


def standings_context(snapshot: LeaderboardSnapshot) -> dict[str, Any]:
    standings = snapshot.standings
    worth = standings["worth"]
    groups = _groups(standings["entries"], standings["scale"])
    return {
        "standings": standings,
        "sentence": board_sentence(standings, snapshot.slice),
        "summary": summary_words(standings),
        "groups": groups,
        "rated": [group for group in groups if group.number],
        "chart_first": len(standings["entries"]) <= SHORT,
        "asks_acceptable": any(entry["acceptable"] for entry in standings["entries"]),
        "attributes": attributes_shown(standings),
        "worth": worth,
        "worth_axis": _worth_axis(standings["entries"]),
        # What is said above the ratings is not said twice.
        "worth_notes": _notes(
            [n for n in worth["notes"] if n not in standings["notes"]],
            REASONS[worth["reason"]] if worth["reason"] else "",
        )
        if worth
        else [],
        "notes": _notes(standings["notes"], reason_words(standings)),
        "method": method_words(standings),
        "unit": standings["scale"].get("unit", "points"),
        "decimals": decimals_of(standings["scale"]),
        "form": standings.get("form"),
        "simulated": simulated_words(standings["simulated_share"]),
        "counts_half": standings["method"] == "bt_half",
        **orders_shown(standings),
    }


def simulated_words(share: float | None) -> str:
    """The label of what simulated judgments contribute to; empty where they do not."""
    if not share:
        return ""
    return _("Simulated") if share == 1 else _("%(share)s simulated") % {"share": _at_least_one(share)}


def _at_least_one(share: float) -> str:
    return percent(max(share, 0.01) if share < 0.5 else min(share, 0.99))


def summary_words(standings: Mapping[str, Any]) -> str:
    """What a reader who does not see the table is told when it changes."""
    judgments = f"{standings['people']['judgments']:,}"
    rated = [entry for entry in standings["entries"] if entry["rank"] == 1 and entry["group"] == 1]
    if not rated:
        return _("%(judgments)s judgments.") % {"judgments": judgments}
    rating = number(rated[0]["rating"], decimals_of(standings["scale"]))
    words = {"judgments": judgments, "model": rated[0]["model"], "rating": rating}
    if standings.get("form") in ("scores", "share"):
        return _("%(judgments)s judgments. In front: %(model)s with %(rating)s.") % words
    return _("%(judgments)s judgments. In front: %(model)s with %(rating)s points.") % words


def decimals_of(scale: Mapping[str, Any]) -> int:
    return int(scale.get("decimals", 0))


def _groups(entries: Sequence[Mapping[str, Any]], scale: Mapping[str, Any]) -> list[Group]:
    worth = _worth_axis(entries)
    groups = []
    for place, members in groupby(entries, key=lambda entry: entry["group"] or 0):
        some = list(members)
        axis = rating_axis(some, scale) if place else None
        rows = [_row(entry, axis, worth, decimals_of(scale)) for entry in some]
        groups.append(Group(place, rows, axis))
    return groups


def rating_axis(entries: Sequence[Mapping[str, Any]], scale: Mapping[str, Any]) -> Axis:
    """Wide enough for every rating and for the intervals of all that are not provisional."""
    values = [entry["rating"] for entry in entries]
    values += [entry[end] for entry in entries for end in ("lower", "upper") if not entry["provisional"] and entry[end]]
    points = scale.get("unit", "points") == "points"
    if all(entry["provisional"] for entry in entries):
        room = 50 if points else 0.5
        values += [min(values) - room, max(values) + room]
    return Axis.around(values, RATING_STEPS if points else SCORE_STEPS)


def _worth_axis(entries: Sequence[Mapping[str, Any]]) -> Axis | None:
    ends = [entry["worth"][end] for entry in entries if entry["worth"] for end in ("lower", "upper")]
    return Axis.around([0.0, *ends], WORTH_STEPS) if ends else None


def _row(entry: Mapping[str, Any], axis: Axis | None, worth: Axis | None, decimals: int) -> Row:
    low, high = entry["rank_low"], entry["rank_high"]
    amount = entry["worth"]
    return Row(
        entry=entry,
        rank="" if low is None else str(low) if low == high else f"{low}–{high}",
        interval=interval_words(entry, decimals),
        simulated=simulated_words(entry["simulated_share"]),
        bar=Bar.of(axis, entry["rating"], entry["lower"], entry["upper"]) if axis else None,
        worth_bar=Bar.of(worth, amount["value"], amount["lower"], amount["upper"]) if worth and amount else None,
    )


def _notes(codes: Sequence[str], reason: Words) -> list[Words]:
    return [*([reason] if reason else []), *(NOTES[code] for code in codes)]


def _contestants(snapshot: LeaderboardSnapshot | None) -> set[int]:
    return {entry["contestant"] for entry in snapshot.standings["entries"]} if snapshot else set()


def _retired(snapshot: LeaderboardSnapshot | None) -> list[Source]:
    """The sources that this snapshot leaves out."""
    ids = snapshot.retired_sources if snapshot else []
    return list(Source.objects.filter(pk__in=ids).order_by("pk")) if ids else []
