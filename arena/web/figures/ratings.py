"""Figures of what the models are rated: with intervals, spread out, over time, and beside what they cost."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.boards.figures import Bin, Priced, bins_of, priced_of
from annotation.boards.wording import number, reason_words
from annotation.queries.figures import Evidence, Rated
from annotation.web.tables import Column, Interval, percent
from arena.web.board_page import decimals_of
from arena.web.figures import charts
from arena.web.figures.charts import Frame
from arena.web.figures.drawing import Drawing, ticks
from arena.web.figures.figure import MOST_MODELS, Figure, Words, first_models

Entry = Mapping[str, Any]
MIN_MODELS_SPREAD = 4
THOUSAND = 1000  # answers whose cost is said: of one alone it is too small to read


def _rated(evidence: Evidence) -> list[Entry]:
    return [entry for entry in evidence.entries if entry["rating"] is not None]


def _no_ratings(evidence: Evidence) -> list[Words]:
    return [reason_words(evidence.standings) or _("It takes one vote that prefers one model to another.")]


def _interval_columns(evidence: Evidence) -> list[Column]:
    return [
        Column("model", _("Model"), "text", lambda entry: entry["model"]),
        Column("group", _("Group"), "count", lambda entry: entry["group"]),
        Column("rank_low", _("Best rank"), "count", lambda entry: entry["rank_low"]),
        Column("rank_high", _("Worst rank"), "count", lambda entry: entry["rank_high"]),
        Column("rating", _("Rating"), "interval", lambda e: Interval(e["rating"], e["lower"], e["upper"])),
        Column("provisional", _("Provisional"), "text", lambda e: _("yes") if e["provisional"] else _("no")),
        Column("votes", _("Votes"), "count", lambda entry: entry["votes"]),
    ]


def _draw_intervals(frame: Frame, evidence: Evidence, rows: Sequence[Entry]) -> Drawing | None:
    if not rows:
        return None
    decimals, group, found = decimals_of(evidence.standings["scale"]), 0, []
    several = rows[-1]["group"] != rows[0]["group"]
    for entry in rows[:MOST_MODELS]:
        heading = _("Group %(number)s") % {"number": entry["group"]} if several and entry["group"] != group else ""
        group = entry["group"]
        ends = entry["lower"], entry["upper"]
        shown = number(entry["rating"], decimals)
        found.append(charts.Span(entry["model"], entry["rating"], *ends, shown, entry["provisional"], heading))
    return charts.spans(frame, found, charts.plain)


def _interval_notes(evidence: Evidence, rows: Sequence[Entry]) -> list[Words]:
    if not rows:
        return _no_ratings(evidence)
    notes = first_models(len(rows))
    if any(entry["provisional"] for entry in rows):
        notes.append(_("A hollow dot is provisional: so few votes that its interval may reach beyond the picture."))
    if rows[-1]["group"] != rows[0]["group"]:
        notes.append(_("Models of different groups never met; their ratings cannot be compared."))
    return notes


INTERVALS = Figure(
    "intervals",
    gettext_lazy("Ratings with intervals"),
    gettext_lazy(
        "The dot is the rating, the line its 95 % interval; two models whose lines overlap far may be equally good."
    ),
    _rated,
    _interval_columns,
    _draw_intervals,
    _interval_notes,
)


def _bins(evidence: Evidence) -> list[Bin]:
    ratings = [entry["rating"] for entry in _rated(evidence) if entry["group"] == 1]
    if len(ratings) < MIN_MODELS_SPREAD:
        return []
    return bins_of(evidence.entries, ticks(min(ratings), max(ratings), most=3 + round(len(ratings) ** 0.5)))


def _bin_columns(evidence: Evidence) -> list[Column]:
    return [
        Column("low", _("From"), "plain", lambda each: each.low),
        Column("high", _("To"), "plain", lambda each: each.high),
        Column("models", _("Models"), "count", lambda each: each.count),
    ]


def _draw_bins(frame: Frame, evidence: Evidence, rows: Sequence[Bin]) -> Drawing | None:
    bars = [
        charts.Column(charts.plain(each.low), each.count, f"{each.low:g}–{each.high:g}: {each.count}") for each in rows
    ]
    return charts.columns(frame, bars, charts.plain) if bars else None


def _bin_notes(evidence: Evidence, rows: Sequence[Bin]) -> list[Words]:
    least = {"count": MIN_MODELS_SPREAD}
    if not rows:
        return [
            *([] if _rated(evidence) else _no_ratings(evidence)),
            _("It takes %(count)s models with a rating.") % least,
        ]
    return [_("Beneath each column stands where it begins.")]


SPREAD = Figure(
    "spread",
    gettext_lazy("How ratings are spread"),
    gettext_lazy("Each column says how many models have a rating from there up to where the next column begins."),
    _bins,
    _bin_columns,
    _draw_bins,
    _bin_notes,
)


def _history(evidence: Evidence) -> list[Rated]:
    """The newest day first. Days whose ratings came about in another way are gaps."""
    return [each for each in reversed(evidence.history) if each.compares]


def _history_columns(evidence: Evidence) -> list[Column]:
    names = evidence.names_with({each.contestant for each in evidence.history})
    return [
        Column("day", _("Day (UTC)"), "text", lambda each: each.day.isoformat()),
        Column("snapshot", _("Snapshot"), "count", lambda each: each.number),
        Column("model", _("Model"), "text", lambda each: names[each.contestant]),
        Column("rating", _("Rating"), "interval", lambda each: Interval(each.rating, each.lower, each.upper)),
    ]


def _draw_history(frame: Frame, evidence: Evidence, rows: Sequence[Rated]) -> Drawing | None:
    days = sorted({each.day for each in rows})
    if len(days) < 2:
        return None
    parts: dict[int, list[list[tuple[float, float]]]] = {pk: [[]] for pk in evidence.names}
    for day in sorted({each.day for each in evidence.history}):
        said = {each.contestant: each.rating for each in rows if each.day == day}
        for pk, of in parts.items():
            if pk in said:
                of[-1].append((day.toordinal(), said[pk]))
            elif of[-1]:
                of.append([])
    found = [charts.Line(evidence.names[pk], [part for part in of if part]) for pk, of in parts.items()]
    beneath = {float(day.toordinal()): _day(day) for day in days}
    return charts.lines(frame, found, beneath, charts.plain) if any(line.parts for line in found) else None


def _day(day: date) -> str:
    return date_format(day, "j M")


def _history_notes(evidence: Evidence, rows: Sequence[Rated]) -> list[Words]:
    days, all_days = len({each.day for each in rows}), len({each.day for each in evidence.history})
    if days < 2:
        words = ngettext(
            "It takes two days with ratings; so far there is %(days)s.",
            "It takes two days with ratings; so far there are %(days)s.",
            days,
        )
        return [words % {"days": days}]
    notes: list[Words] = [_("Each dot is the last snapshot of a UTC day; a day without a new snapshot has none.")]
    if len({each.contestant for each in rows}) > charts.MOST_LINES:
        notes.append(
            _("Drawn are the %(count)s models that are first now; the table has all.") % {"count": charts.MOST_LINES}
        )
    if days < all_days:
        words = ngettext(
            "%(days)s day is left out: its ratings came about by another method, part or version.",
            "%(days)s days are left out: their ratings came about by another method, part or version.",
            all_days - days,
        )
        notes.append(words % {"days": all_days - days})
    return notes


HISTORY = Figure(
    "history",
    gettext_lazy("Ratings over time"),
    gettext_lazy(
        "Each line is a model’s rating as the UTC days ended; it has a gap where ratings came about in another way."
    ),
    _history,
    _history_columns,
    _draw_history,
    _history_notes,
)


def _priced(evidence: Evidence) -> list[Priced]:
    return priced_of(evidence.entries, evidence.costs) if evidence.standings["worth"] else []


def _priced_columns(evidence: Evidence) -> list[Column]:
    return [
        Column("model", _("Model"), "text", lambda each: evidence.names[each.contestant]),
        Column("usd_per_1000_answers", _("US dollars for 1,000 answers"), "number", lambda each: THOUSAND * each.cost),
        Column("answers_costed", _("Answers with a cost"), "count", lambda each: each.answers),
        Column("worth", _("Mean worth"), "interval", lambda each: Interval(each.worth, each.lower, each.upper)),
        Column("in_front", _("On the front"), "text", lambda each: _("yes") if each.in_front else _("no")),
    ]


def _draw_priced(frame: Frame, evidence: Evidence, rows: Sequence[Priced]) -> Drawing | None:
    if len(rows) < 2:
        return None
    found = [
        charts.Point(
            name := evidence.names[each.contestant],
            THOUSAND * each.cost,
            each.worth,
            each.lower,
            each.upper,
            each.in_front,
            says=f"{name}: {charts.plain(THOUSAND * each.cost)}, {number(each.worth, 2)}",
        )
        for each in rows
    ]
    return charts.points(frame, found, across=_("US dollars for 1,000 answers"), up=_unit(evidence))


def _unit(evidence: Evidence) -> str:
    worth = evidence.standings["worth"]
    if worth.get("estimand") == "money" or "anchored" in worth["notes"]:
        return _("Mean worth against the average model, in money as named")
    return _("Mean worth against the average model (1: a person’s own average amount)")


def _priced_notes(evidence: Evidence, rows: Sequence[Priced]) -> list[Words]:
    if len(rows) < 2:
        words = _(
            "It takes two models that have both: a worth, from five amounts of one person at least, and a known cost"
            " of their answers. So far %(count)s."
        )
        return [words % {"count": len(rows)}]
    worth = evidence.standings["worth"]
    front = ", ".join(evidence.names[each.contestant] for each in rows if each.in_front)
    notes: list[Words] = [
        _(
            "On the front, where none is worth at least as much for less: %(models)s. It goes by the estimates; the"
            " lines are 95 %% intervals of worth."
        )
        % {"models": front}
    ]
    if worth.get("heavy_tailed"):
        words = _(
            "Heavy-tailed: the largest 1 %% of the amounts make up %(share)s of their sum, so the intervals are too"
            " short."
        )
        notes.append(words % {"share": percent(worth["tail_share"])})
    if {"censored", "one_sided"} & set(worth["notes"]):
        notes.append(
            _("Censored: more than 1 % of amounts are at an end of what could be said. The truth lies beyond.")
        )
    left_out = sum(bool(entry["worth"]) for entry in evidence.entries) - len(rows)
    if left_out:
        words = ngettext(
            "%(count)s model without a known cost, or without a name, is left out.",
            "%(count)s models without a known cost, or without a name, are left out.",
            left_out,
        )
        notes.append(words % {"count": left_out})
    return notes


WORTH_AND_COST = Figure(
    "worth-and-cost",
    gettext_lazy("Worth against cost"),
    gettext_lazy(
        "To the left is cheaper, upwards is worth more; filled dots on the line are those that no other model beats"
        " in both."
    ),
    _priced,
    _priced_columns,
    _draw_priced,
    _priced_notes,
)
