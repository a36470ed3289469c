"""Figures of what was said: who won against whom, how often two met, on which side, when, and by how much."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.boards.figures import MIN_PAIR_VOTES, MIN_SIDE_VOTES, Pair, Side, pairs_of, sides_of
from annotation.queries.figures import Day, Evidence, Strength
from annotation.web.tables import Column, Interval, percent
from arena.web.figures import charts
from arena.web.figures.charts import Frame, Square
from arena.web.figures.drawing import Drawing
from arena.web.figures.figure import MOST_MODELS, Figure, Words, first_models

# Where one colour of shares ends and the next begins.
SHARES = (0.2, 0.35, 0.45, 0.55, 0.65, 0.8)
SHARE_KEY = tuple(
    gettext_lazy(words)
    for words in ("under 20 %", "20 to 35 %", "35 to 45 %", "45 to 55 %", "55 to 65 %", "65 to 80 %", "80 % and more")
)
DRAWN_DAYS = 366
MIN_STRENGTHS = 30
# What the sizes of a preference of three steps are called where they are asked.
SIZES = (
    gettext_lazy("no difference"),
    gettext_lazy("slightly better"),
    gettext_lazy("better"),
    gettext_lazy("much better"),
)


def count(value: float) -> str:
    return number_format(value, 0, force_grouping=True)


def _no_pairs(evidence: Evidence) -> list[Words]:
    if not evidence.rests_on_votes:
        return [_("This board rests on rankings or scores, not on votes between two.")]
    return [_("No vote of this board is counted yet.")]


def _pairs(evidence: Evidence) -> list[Pair]:
    if not evidence.rests_on_votes:
        return []
    return pairs_of(evidence.entries, evidence.counts, evidence.snapshot.method)


def _pair_columns(evidence: Evidence) -> list[Column]:
    return [
        Column("model", _("Model"), "text", lambda pair: evidence.names[pair.one]),
        Column("against", _("Against"), "text", lambda pair: evidence.names[pair.other]),
        Column("observed", _("Won, observed"), "percent", attrgetter("observed")),
        Column("votes", _("Votes that count"), "count", attrgetter("votes")),
        Column("fitted", _("Won, by the ratings"), "percent", attrgetter("fitted")),
    ]


def _draw_shares(name: str) -> Callable[[Frame, Evidence, Sequence[Pair]], Drawing | None]:
    def draw(frame: Frame, evidence: Evidence, rows: Sequence[Pair]) -> Drawing | None:
        place = {pk: number for number, pk in enumerate(list(evidence.names)[:MOST_MODELS])}
        squares = {}
        for pair in rows:
            share = getattr(pair, name)
            if share is not None and {pair.one, pair.other} <= place.keys():
                squares[place[pair.one], place[pair.other]] = _share_square(share)
                squares[place[pair.other], place[pair.one]] = _share_square(1 - share)
        if not squares:
            return None
        names = [evidence.names[pk] for pk in place]
        return charts.matrix(frame, names, squares, colours="share", key=[str(words) for words in SHARE_KEY])

    return draw


def _share_square(share: float) -> Square:
    return Square(sum(share >= bound for bound in SHARES), f"{100 * share:.0f}")


def _observed_notes(evidence: Evidence, rows: Sequence[Pair]) -> list[Words]:
    if not rows:
        return _no_pairs(evidence)
    most = max(pair.votes for pair in rows)
    words: dict[str, Any] = {"least": MIN_PAIR_VOTES, "most": most}
    if most < MIN_PAIR_VOTES:
        return [_("It takes %(least)s votes between two models; no two have more than %(most)s.") % words]
    words["blank"] = sum(pair.observed is None for pair in rows)
    words["all"] = len(rows)
    notes: list[Words] = [
        _("Ties are half a win for each. Counted are all votes up to now, also those after the snapshot.")
    ]
    if words["blank"]:
        said = _("Left blank: %(blank)s of %(all)s pairs with fewer than %(least)s votes.")
        notes.append(said % (words | {"blank": count(words["blank"]), "all": count(words["all"])}))
    return notes + first_models(len(evidence.names))


OBSERVED = Figure(
    "win-rates",
    gettext_lazy("Win rates, observed"),
    gettext_lazy(
        "Each number is the percentage of votes that the model of the row won against the model of the column."
    ),
    _pairs,
    _pair_columns,
    _draw_shares("observed"),
    _observed_notes,
)


def _fitted_notes(evidence: Evidence, rows: Sequence[Pair]) -> list[Words]:
    if not rows or all(pair.fitted is None for pair in rows):
        return _no_pairs(evidence) if not rows else [_("It takes votes that link two models.")]
    notes: list[Words] = [
        _("1 / (1 + 10^(difference of ratings / 400)), which is what Bradley-Terry says of every two.")
    ]
    if any(pair.fitted is None for pair in rows):
        notes.append(_("Models that no votes link have no common scale: their squares are blank."))
    return notes + first_models(len(evidence.names))


FITTED = Figure(
    "win-rates-fitted",
    gettext_lazy("Win rates by the ratings"),
    gettext_lazy(
        "Each number is the percentage that the model of the row is expected to win against that of the column."
    ),
    _pairs,
    _pair_columns,
    _draw_shares("fitted"),
    _fitted_notes,
)


def _met(evidence: Evidence) -> list[Pair]:
    return [pair for pair in _pairs(evidence) if pair.battles]


def _battle_columns(evidence: Evidence) -> list[Column]:
    said = (
        ("battles", _("Votes")),
        ("wins", _("Won by the first named")),
        ("losses", _("Won by the other")),
        ("ties", _("No difference")),
        ("both_bad", _("Neither acceptable")),
    )
    return [
        Column("model", _("Model"), "text", lambda pair: evidence.names[pair.one]),
        Column("against", _("Against"), "text", lambda pair: evidence.names[pair.other]),
        *(Column(key, title, "count", attrgetter(key)) for key, title in said),
    ]


def _bounds(rows: Sequence[Pair]) -> list[int]:
    """Up to three bounds between four colours, each a fourth of the pairs."""
    battles = sorted(pair.battles for pair in rows)
    return sorted({battles[len(battles) * quarter // 4] for quarter in (1, 2, 3)} - {battles[0]})


def _draw_battles(frame: Frame, evidence: Evidence, rows: Sequence[Pair]) -> Drawing | None:
    place = {pk: number for number, pk in enumerate(list(evidence.names)[:MOST_MODELS])}
    drawn = [pair for pair in rows if {pair.one, pair.other} <= place.keys()]
    if not drawn:
        return None
    bounds, squares = _bounds(drawn), {}
    for pair in drawn:
        square = Square(sum(pair.battles >= bound for bound in bounds), _short(pair.battles))
        squares[place[pair.one], place[pair.other]] = squares[place[pair.other], place[pair.one]] = square
    starts = [min(pair.battles for pair in drawn), *bounds]
    ends = [*(bound - 1 for bound in bounds), max(pair.battles for pair in drawn)]
    key = [count(low) if low == high else f"{count(low)}–{count(high)}" for low, high in zip(starts, ends, strict=True)]
    return charts.matrix(frame, [evidence.names[pk] for pk in place], squares, colours="count", key=key)


def _short(value: int) -> str:
    """In four characters at most."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= (10_000 if letter == "k" else size):
            return f"{value // size}{letter}"
    return str(value)


def _battle_notes(evidence: Evidence, rows: Sequence[Pair]) -> list[Words]:
    if not rows:
        return _no_pairs(evidence)
    never = len(evidence.names) * (len(evidence.names) - 1) // 2 - len(rows)
    words = ngettext("%(never)s pair never met and is blank.", "%(never)s pairs never met and are blank.", never)
    notes: list[Words] = [words % {"never": count(never)}] if never else []
    return notes + first_models(len(evidence.names))


BATTLES = Figure(
    "battles",
    gettext_lazy("Votes for each pair"),
    gettext_lazy("Each number is how many votes were given between the model of the row and the model of the column."),
    _met,
    _battle_columns,
    _draw_battles,
    _battle_notes,
)


def _days(evidence: Evidence) -> list[Day]:
    return evidence.days


def _day_columns(evidence: Evidence) -> list[Column]:
    return [
        Column("day", _("Day (UTC)"), "text", lambda each: each.day.isoformat()),
        Column("votes", _("Votes"), "count", lambda each: each.votes),
    ]


def _draw_days(frame: Frame, evidence: Evidence, rows: Sequence[Day]) -> Drawing | None:
    if not rows:
        return None
    votes, last = {each.day: each.votes for each in rows}, rows[-1].day
    first = max(rows[0].day, last - timedelta(days=DRAWN_DAYS - 1))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    bars = [
        charts.Column(date_format(day, "j M"), votes.get(day, 0), f"{day.isoformat()}: {count(votes.get(day, 0))}")
        for day in days
    ]
    return charts.columns(frame, bars, count)


def _day_notes(evidence: Evidence, rows: Sequence[Day]) -> list[Words]:
    notes: list[Words] = []
    if not rows:
        notes.append(_("It takes one vote whose day is known."))
    elif (rows[-1].day - rows[0].day).days >= DRAWN_DAYS:
        notes.append(_("Drawn are the last %(days)s days; the table has all.") % {"days": DRAWN_DAYS})
    if undated := evidence.undated:
        words = ngettext(
            "%(votes)s imported vote is left out: its file does not say when it was given.",
            "%(votes)s imported votes are left out: their file does not say when they were given.",
            undated,
        )
        notes.append(words % {"votes": count(undated)})
    return notes


DAYS = Figure(
    "days",
    gettext_lazy("Votes a day"),
    gettext_lazy(
        "Each column is how many of the board’s judgments were given on that day, from midnight to midnight UTC."
    ),
    _days,
    _day_columns,
    _draw_days,
    _day_notes,
)


def _sides(evidence: Evidence) -> list[Side]:
    if not evidence.rests_on_votes or not len(evidence.counts):
        return []
    return sides_of(evidence.counts, list(evidence.names))


def _side_name(evidence: Evidence, side: Side) -> str:
    return str(_("All votes")) if side.contestant is None else evidence.names[side.contestant]


def _side_columns(evidence: Evidence) -> list[Column]:
    def share(side: Side) -> Interval | None:
        return None if side.share is None else Interval(side.share, side.lower, side.upper)

    return [
        Column("of", _("Votes of"), "text", lambda side: _side_name(evidence, side)),
        Column("first", _("For the first answer"), "count", lambda side: side.first),
        Column("decided", _("For either"), "count", lambda side: side.decided),
        Column("share", _("Share for the first"), "interval", share),
        Column("ties", _("No difference"), "count", lambda side: side.ties),
    ]


def _enough(rows: Sequence[Side]) -> list[tuple[Side, Interval]]:
    return [
        (side, Interval(side.share, side.lower, side.upper))
        for side in rows
        if side.decided >= MIN_SIDE_VOTES and side.share is not None
    ]


def _draw_sides(frame: Frame, evidence: Evidence, rows: Sequence[Side]) -> Drawing | None:
    found = [
        charts.Span(_side_name(evidence, side), said.value or 0.0, said.lower, said.upper, percent(said.value or 0.0))
        for side, said in _enough(rows)[: 1 + MOST_MODELS]
    ]
    return charts.spans(frame, found, percent, middle=0.5) if found else None


def _side_notes(evidence: Evidence, rows: Sequence[Side]) -> list[Words]:
    if not rows:
        return _no_pairs(evidence)
    least, enough = {"least": MIN_SIDE_VOTES, "decided": rows[0].decided}, _enough(rows)
    if not enough:
        return [_("It takes %(least)s votes that prefer a side; so far there are %(decided)s.") % least]
    notes: list[Words] = [
        _(
            "Share = votes for the first answer / votes for either. The interval is Wilson’s (1927) of 95 %, as if"
            " votes"
            " were independent. Sides are drawn by chance in the arena, so that a model’s own strength cancels out;"
            " in imported files it need not."
        ),
        _("%(ties)s votes saw no difference and count for no side.") % {"ties": count(rows[0].ties)},
    ]
    if few := len(rows) - len(enough):
        words = ngettext(
            "%(few)s model with fewer than %(least)s such votes is in the table alone.",
            "%(few)s models with fewer than %(least)s such votes are in the table alone.",
            few,
        )
        notes.append(words % {"few": few, "least": MIN_SIDE_VOTES})
    return notes + first_models(len(enough) - 1)


SIDES = Figure(
    "sides",
    gettext_lazy("Does the side matter?"),
    gettext_lazy(
        "The dot is the share of votes for the answer that was shown first; where its line crosses the middle, no"
        " effect of the side is shown."
    ),
    _sides,
    _side_columns,
    _draw_sides,
    _side_notes,
)


def _strengths(evidence: Evidence) -> list[Strength]:
    return evidence.strengths


def _strength_columns(evidence: Evidence) -> list[Column]:
    return [
        Column("said", _("Said"), "text", _size_words),
        Column("size", _("Step"), "count", lambda each: each.size),
        Column("scale", _("Of"), "count", lambda each: each.scale),
        Column("votes", _("Votes"), "count", lambda each: each.votes),
    ]


def _size_words(each: Strength) -> str:
    if each.scale == len(SIZES) - 1:
        return str(SIZES[each.size])
    return _("%(size)s of %(scale)s") % {"size": each.size, "scale": each.scale}


def _draw_strengths(frame: Frame, evidence: Evidence, rows: Sequence[Strength]) -> Drawing | None:
    if sum(each.votes for each in rows) < MIN_STRENGTHS:
        return None
    bars = [charts.Column(_size_words(each), each.votes, f"{_size_words(each)}: {count(each.votes)}") for each in rows]
    return charts.columns(frame, bars, count)


def _strength_notes(evidence: Evidence, rows: Sequence[Strength]) -> list[Words]:
    said = sum(each.votes for each in rows)
    if said < MIN_STRENGTHS:
        words = _("It takes %(least)s votes that say by how much; so far there are %(said)s.")
        return [words % {"least": MIN_STRENGTHS, "said": said}]
    return [
        _("%(said)s of %(all)s judgments say by how much.")
        % {"said": count(said), "all": count(evidence.snapshot.judgments)}
    ]


STRENGTHS = Figure(
    "strengths",
    gettext_lazy("By how much"),
    gettext_lazy("Each column is how many votes said that the better answer is better by so much, whichever it was."),
    _strengths,
    _strength_columns,
    _draw_strengths,
    _strength_notes,
)
