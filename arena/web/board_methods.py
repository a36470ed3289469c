"""The pages of a board's methods: which there are, and each one's board of the same votes."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from annotation.boards import contestant_names
from annotation.boards.methods.declared import METHODS, Method
from annotation.boards.methods.words import DIAGNOSTICS, FORBIDS, SHARES, SIDES, UNITS, WARNINGS, WHY_NOT
from annotation.boards.wording import number
from annotation.models import Board, LeaderboardSnapshot
from annotation.queries import readable_snapshot
from annotation.queries.methods import BeingComputed, method_board, reasons_against
from annotation.web.tables import Column, Interval, Table, csv_response, shown_table
from arena.web.access import readable_board
from foundation.templatetags.text import percent

Found = Mapping[str, Any]
# What a number of some kind looks like.
KINDS = {
    "count": lambda value: f"{value:,}",
    "number": lambda value: number(float(value), 2),
    "small": lambda value: number(float(value), 4),
    "percent": lambda value: percent(value),
}
FILES = ("csv", "json")


@require_safe
def methods(request: HttpRequest, slug: str) -> HttpResponse:
    """All of them, each with what it takes for granted, and why there is none of these votes."""
    board = readable_board(slug, request.user)
    snapshot = readable_snapshot(board)
    context: dict[str, Any] = {"board": board, "snapshot": snapshot, "waits": False}
    reasons: Mapping[str, str | None] = {}
    if snapshot is not None:
        try:
            reasons = reasons_against(snapshot)
        except BeingComputed:
            context["waits"] = True
    context["methods"] = [(each, WHY_NOT.get(reasons.get(each.name) or "", "")) for each in METHODS.values()]
    return _answered(render(request, "arena/methods.html", context))


@require_safe
def one(request: HttpRequest, slug: str, method: str) -> HttpResponse:
    board, snapshot, chosen = _asked_for(request, slug, method)
    context: dict[str, Any] = {"board": board, "snapshot": snapshot, "method": chosen, "waits": False}
    context["others"] = [each for each in METHODS.values() if each is not chosen]
    try:
        context |= _shown(method_board(snapshot, chosen), snapshot, chosen)
    except BeingComputed:
        context["waits"] = True
    return _answered(render(request, "arena/method.html", context, status=202 if context["waits"] else 200))


@require_safe
def file(request: HttpRequest, slug: str, method: str, kind: str) -> HttpResponse:
    """The same as a file; 503 while it is being computed. Raises Http404, also where there is no board."""
    board, snapshot, chosen = _asked_for(request, slug, method)
    if kind not in FILES:
        raise Http404
    try:
        found = method_board(snapshot, chosen)
    except BeingComputed:
        words = _("It is being computed: ask again in some seconds.")
        return HttpResponse(words, status=503, headers={"Retry-After": "10"}, content_type="text/plain; charset=utf-8")
    if found["reason"]:
        raise Http404
    names = _names(found)
    if kind == "csv":
        return csv_response(_table(found, chosen, names, snapshot), name=board.slug)
    response = JsonResponse(_named(found, names) | {"method": method, "board": slug, **_rests_on(snapshot)})
    response["Content-Disposition"] = f'attachment; filename="{slug}-{method}.json"'
    return _answered(response)


def _asked_for(request: HttpRequest, slug: str, name: str) -> tuple[Board, LeaderboardSnapshot, Method]:
    board = readable_board(slug, request.user)
    snapshot = readable_snapshot(board)
    if name not in METHODS or snapshot is None:
        raise Http404
    return board, snapshot, METHODS[name]


def _answered(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, no_cache=True)
    return response


def _rests_on(snapshot: LeaderboardSnapshot) -> dict[str, Any]:
    return {"snapshot": snapshot.number, "last_sequence": snapshot.last_sequence, "digest": snapshot.digest}


def _names(found: Found) -> dict[int, str]:
    """What everybody is called now, never what they were called as it was computed."""
    ids = {each["contestant"] for each in found["rows"]}
    ids |= {each["contestant"] for part in found["boards"] for each in part["rows"]}
    return contestant_names(ids | {pk for cycle in found["cycles"] for pk in cycle})


def _named(found: Found, names: Mapping[int, str]) -> dict[str, Any]:
    def rows(of: Found) -> list[dict[str, Any]]:
        return [{"model": names[each["contestant"]], **each} for each in of["rows"]]

    return {
        **found,
        "rows": rows(found),
        "cycles": [[names[pk] for pk in cycle] for cycle in found["cycles"]],
        "boards": [{**part, "rows": rows(part)} for part in found["boards"]],
    }


def _shown(found: Found, snapshot: LeaderboardSnapshot, chosen: Method) -> dict[str, Any]:
    if found["reason"]:
        return {"reason": WHY_NOT[found["reason"]]}
    names = _names(found)
    table = _table(found, chosen, names, snapshot)
    return {
        "table": shown_table(table, {}, per_page=max(len(table.rows), 1)),
        "warnings": [WARNINGS[key] for key in found["warnings"] if key in FORBIDS],
        "notes": [WARNINGS[key] for key in found["warnings"] if key not in FORBIDS],
        "diagnostics": [
            (DIAGNOSTICS[key], "–" if value is None else KINDS[DIAGNOSTICS[key].kind](value))
            for key, value in found["diagnostics"].items()
        ],
        "cycles": [" → ".join(names[pk] for pk in [*cycle, cycle[0]]) for cycle in found["cycles"]],
        "parts": [_part(part, names, chosen) for part in found["boards"]],
        "moves": _moves(found, snapshot, names),
    }


def _part(part: Found, names: Mapping[int, str], chosen: Method) -> dict[str, Any]:
    table = Table(chosen.name, part["name"], _columns("points", names), part["rows"])
    shown = shown_table(table, {}, per_page=max(len(part["rows"]), 1))
    return {"part": part, "votes": f"{part['votes']:,.0f}", "table": shown}


def _table(found: Found, chosen: Method, names: Mapping[int, str], snapshot: LeaderboardSnapshot) -> Table:
    before = {each["contestant"]: each["rank"] for each in snapshot.standings["entries"]}
    columns = _columns(found["unit"], names)
    if any(row["group"] > 1 for row in found["rows"]):
        # Ranks are within a group: models of another never met them.
        columns.insert(1, Column("group", _("Group"), "count", lambda row: row["group"]))
    columns.append(Column("board_rank", _("Rank on the board"), "count", lambda row: before.get(row["contestant"])))
    if not any(_ranks(row) for row in found["rows"]):
        columns = [column for column in columns if column.key != "ranks"]
    first = found["rows"][0] if found["rows"] else {}
    columns += [column for key, column in _further().items() if key in first]
    return Table(chosen.name, chosen.title, columns, found["rows"])


def _columns(unit: str, names: Mapping[int, str]) -> list[Column]:
    def value(row: Found) -> Any:
        return None if row["value"] is None else Interval(*(_in_unit(row[end], unit) for end in ("value", *ENDS)))

    title = _("%(unit)s, in %%") % {"unit": UNITS[unit]} if unit in SHARES else UNITS[unit]
    return [
        Column("model", _("Model"), "text", lambda row: names[row["contestant"]]),
        Column("rank", _("Rank"), "count", lambda row: row["rank"]),
        Column("value", title, "interval", value),
        Column("ranks", _("Ranks it may have"), "text", _ranks),
    ]


ENDS = ("lower", "upper")


def _in_unit(value: float | None, unit: str) -> float | None:
    return None if value is None else 100 * value if unit in SHARES else value


def _p_value(row: Found) -> str | None:
    return None if row["p_value"] is None else number(row["p_value"], 3)


def _ranks(row: Found) -> str | None:
    low, high = row["rank_low"], row["rank_high"]
    if low is None or high is None:
        return None
    return str(low) if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high}


def _further() -> dict[str, Column]:
    """Columns of some methods alone, by what their rows have."""
    return {
        "side": Column("side", _("Against nothing"), "text", lambda row: str(SIDES[row["side"]])),
        "points": Column(
            "points",
            _("Points against all"),
            "interval",
            lambda row: Interval(row["points"], row["points_lower"], row["points_upper"]),
        ),
        "worst_group": Column("worst_group", _("Worst for"), "text", lambda row: row["worst_group"]),
        "p_value": Column("p_value", _("Chance of as much among equal groups"), "text", _p_value),
        "borda_rank": Column("borda_rank", _("Rank by Borda"), "count", lambda row: row["borda_rank"]),
        "ranked_in": Column("ranked_in", _("Categories"), "count", lambda row: row["ranked_in"]),
    }


def _moves(found: Found, snapshot: LeaderboardSnapshot, names: Mapping[int, str]) -> str:
    """Who has another rank than on the board, in a sentence; the one who moves furthest by name."""
    before = {each["contestant"]: each["rank"] for each in snapshot.standings["entries"] if each["rank"]}
    places = [(each["contestant"], each["rank"]) for each in found["rows"] if each["contestant"] in before]
    both = [(pk, before[pk], rank) for pk, rank in places]
    moved = [each for each in both if each[1] != each[2]]
    if not moved:
        return _("Every model has the rank that it has on the board.")
    pk, was, now = max(moved, key=lambda each: abs(each[1] - each[2]))
    words = ngettext(
        "%(count)s of %(all)s models has another rank than on the board; %(model)s moves from %(was)s to %(now)s.",
        "%(count)s of %(all)s models have another rank than on the board; furthest moves %(model)s, from %(was)s to"
        " %(now)s.",
        len(moved),
    )
    return words % {"count": len(moved), "all": len(both), "model": names[pk], "was": was, "now": now}
