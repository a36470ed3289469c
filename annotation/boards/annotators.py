"""What annotators' judgments say about them: speed, checks, repeats, sides, use of the scale, change, reliability."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
from django.db.models import BooleanField, Case, F, FloatField, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Extract

from annotation.boards.agreement import Bools
from annotation.boards.measures import RESPONSES, Floats, Ints, Measure, copy_columns
from annotation.enums import COUNTED, Design, Preference
from annotation.models import Judgment
from annotation.policies.flags import ALARM, LEAST_COMPARED, Alike, AnnotatorFigures, Change, Share, least_seconds
from ranking import (
    Comparisons,
    Covariance,
    ItemJudgments,
    NoOverlap,
    RankingError,
    TooFewAnswers,
    annotator_drift,
    fit_crowd,
    gold_accuracy,
    likeness,
    retest_agreement,
    side_bias,
    wilson,
)
from ranking import Shares as ShareColumns

# A longer pause begins a new session.
PAUSE_SECONDS = 30 * 60
# A session, or an annotator, with fewer timed judgments has no pace of its own.
LEAST_PACE = 10
# The reliabilities rest on the newest judgments up to so many: a fit goes over all of them hundreds of times.
MOST_FITTED = 100_000
SIDE_LEVEL = 0.99
# Of a logarithm: what is beyond is as good as infinite.
MOST_CHANGE = 10.0
LEVEL = 0.95
NONE = -1


@dataclass(frozen=True, eq=False)
class Given:
    """The n judgments of work and checks, in commit order."""

    respondent: Ints  # (n,) id
    seconds: Floats  # (n,) active time, or from the page to the answer; NaN where nobody knows
    at: Floats  # (n,) seconds since 1970
    is_work: Bools  # (n,) no check and no repeat
    outcome: Floats  # (n,) 1 the side shown first, 0 the other, ½ a tie; NaN for everything else
    drawn: Bools  # (n,) the sides were drawn
    first: Ints  # (n,) contestant shown first, -1 where nobody is ranked
    second: Ints

    def __len__(self) -> int:
        return len(self.respondent)


KINDS = (
    ("respondent", pa.int64()),
    ("active", pa.float64()),
    ("rendered", pa.float64()),
    ("at", pa.float64()),
    ("is_work", pa.bool_()),
    ("outcome", pa.float64()),
    ("drawn", pa.bool_()),
    ("first", pa.int64()),
    ("second", pa.int64()),
)


def read_given(judgments: QuerySet[Judgment]) -> Given:
    rows = judgments.annotate(
        active=Cast("active_ms", FloatField()) / 1000.0,
        rendered=Cast(Extract("rendered_at", "epoch"), FloatField()),
        at=Cast(Extract("submitted_at", "epoch"), FloatField()),
        is_work=_yes(Q(item__purpose__in=COUNTED, item__repeat_of__isnull=True)),
        outcome=Case(
            When(preference=Preference.A, then=Value(1.0)),
            When(preference=Preference.B, then=Value(0.0)),
            When(preference=Preference.TIE, then=Value(0.5)),
            output_field=FloatField(),
        ),
        drawn=_yes(Q(impression__side_design=Design.DRAWN)),
        first=Coalesce(F("contestants__0"), Value(NONE), output_field=IntegerField()),
        second=Coalesce(F("contestants__1"), Value(NONE), output_field=IntegerField()),
    )
    names = ("respondent_id", *(name for name, _kind in KINDS[1:]))
    columns = copy_columns(rows.values_list(*names), KINDS)
    active, since_shown = columns.pop("active"), columns["at"] - columns.pop("rendered")
    return Given(seconds=np.where(np.isnan(active), np.maximum(since_shown, 0.0), active), **columns)


def _yes(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


@dataclass(frozen=True, eq=False)
class Checked:
    """Answers to gold items and attention checks, in commit order."""

    respondent: Ints
    item: Ints
    right: Bools


def figures_of(
    given: Given, checked: Checked, measures: Sequence[Measure], *, everyone: Iterable[int]
) -> list[AnnotatorFigures]:
    """Of every respondent in `everyone` (ids, ascending), who gave all that is given."""
    people = np.array(list(everyone), dtype=np.int64)
    if not len(people):
        return []
    who = np.searchsorted(people, given.respondent)
    fast_below = least_seconds(_median(given.seconds))
    columns: dict[str, Sequence[Any]] = {
        "judgments": np.bincount(who[given.is_work], minlength=len(people)).tolist(),
        "checks": _checks(checked, people),
        **_repeats(measures, people),
        "left": _left(given, who, len(people)),
        "fast": _fast(given, who, len(people), fast_below),
        "median_seconds": [_median(given.seconds[rows]) for rows in _rows_of(who, len(people))],
        "drift": _drift(given, who, len(people)),
        "fatigue": _fatigue(given, who, len(people)),
        "with_others": _with_others(measures, people),
        "truthful": _truthful(given, who, len(people)),
        "alike": alike_of(measures, people),
        **_scale_use(measures, people),
    }
    return [
        AnnotatorFigures(
            respondent=int(pk), fast_below=fast_below, **{name: values[k] for name, values in columns.items()}
        )
        for k, pk in enumerate(people)
    ]


def _rows_of(who: Ints, count: int) -> list[Ints]:
    order = np.argsort(who, kind="stable")
    return np.split(order, np.cumsum(np.bincount(who, minlength=count))[:-1])


def _median(seconds: Floats) -> float | None:
    known = seconds[~np.isnan(seconds)]
    return float(np.median(known)) if len(known) else None


def _shares(columns: ShareColumns) -> list[Share | None]:
    rows = zip(columns.share, columns.judged, columns.lower, columns.upper, strict=True)
    return [
        Share(float(share * judged), float(judged), float(lower), float(upper)) if judged else None
        for share, judged, lower, upper in rows
    ]


def _checks(checked: Checked, people: Ints) -> list[Share | None]:
    judgments = ItemJudgments(
        item=checked.item,
        annotator=np.searchsorted(people, checked.respondent),
        value=checked.right.astype(np.float64),
        annotators=len(people),
    )
    try:
        return _shares(gold_accuracy(judgments, np.ones(len(judgments)), level=LEVEL))
    except NoOverlap:
        return [None] * len(people)


def _in_people(measure: Measure, people: Ints) -> ItemJudgments:
    respondent = np.searchsorted(people, measure.everyone)[measure.respondent]
    return ItemJudgments(item=measure.unit, annotator=respondent, value=measure.value, annotators=len(people))


def _repeats(measures: Sequence[Measure], people: Ints) -> dict[str, Sequence[Any]]:
    """Of the instrument's first question that can be compared; and how often two answers of one person are alike.

    Of several responses the first is looked at: what is said of one item's responses hangs together.
    """
    found: dict[str, Sequence[Any]] = {"repeats": [None] * len(people), "same_by_chance": [None] * len(people)}
    if not measures:
        return found
    measure = measures[0].select(measures[0].unit % RESPONSES == 0)
    near = dict(zip(measure.everyone.tolist(), measure.nearness(), strict=True))
    within = np.array([near[pk].within if pk in near else 0.0 for pk in people.tolist()])
    try:
        again = retest_agreement(_in_people(measure, people), within=within, level=LEVEL)
    except RankingError:
        return found  # nobody was shown anything twice, or everybody always says the same
    by_chance = [near[pk].by_chance if pk in near else None for pk in people.tolist()]
    return {"repeats": _shares(again.same), "same_by_chance": by_chance}


def _left(given: Given, who: Ints, count: int) -> list[Share | None]:
    rows = given.is_work & given.drawn & ~np.isnan(given.outcome)
    shown = np.zeros(int(rows.sum()), dtype=np.int64)
    comparisons = Comparisons(a=shown, b=shown + 1, outcome=given.outcome[rows], count=2, annotator=who[rows])
    try:
        found = _shares(side_bias(comparisons, level=SIDE_LEVEL).annotator)
    except NoOverlap:
        found = []
    return found + [None] * (count - len(found))


def _fast(given: Given, who: Ints, count: int, below: float) -> list[Share | None]:
    timed = ~np.isnan(given.seconds)
    trials = np.bincount(who[timed], minlength=count)
    fast = np.bincount(who[timed & (given.seconds < below)], minlength=count)
    return _shares(wilson(fast, trials, LEVEL))


def _drift(given: Given, who: Ints, count: int) -> list[Change | None]:
    try:
        drift = annotator_drift(given.seconds, who, annotators=count, least=LEAST_PACE, level=LEVEL)
    except TooFewAnswers:
        return [None] * count
    ends = (np.exp(np.clip(values, -MOST_CHANGE, MOST_CHANGE)) for values in (drift.change, drift.lower, drift.upper))
    rows = zip(*ends, strict=True)
    return [None if np.isnan(factor) else Change(float(factor), float(low), float(high)) for factor, low, high in rows]


def _fatigue(given: Given, who: Ints, count: int) -> list[float | None]:
    """The mean over a person's sessions of the change within them, long sessions counting for more."""
    order = np.lexsort((given.at, who))
    ordered, at = who[order], given.at[order]
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (np.diff(ordered) != 0) | (np.diff(at) > PAUSE_SECONDS)
    session = np.cumsum(starts) - 1
    owner = ordered[starts]
    try:
        within = annotator_drift(given.seconds[order], session, annotators=len(owner), least=LEAST_PACE)
    except TooFewAnswers:
        return [None] * count
    known = ~np.isnan(within.change)
    weight = np.bincount(owner[known], within.judged[known], minlength=count)
    total = np.bincount(owner[known], within.judged[known] * within.change[known], minlength=count)
    return [float(np.exp(whole / part)) if part else None for whole, part in zip(total, weight, strict=True)]


def _with_others(measures: Sequence[Measure], people: Ints) -> list[Share | None]:
    """Of the first question: how many pairs of one's own answer and another's say exactly the same."""
    if not measures:
        return [None] * len(people)
    measure = measures[0].select(measures[0].judgments().first)
    _units, unit = np.unique(measure.unit, return_inverse=True)
    _values, value = np.unique(measure.value, return_inverse=True)
    _cells, cell, times = np.unique(unit * len(_values) + value, return_inverse=True, return_counts=True)
    who = np.searchsorted(people, measure.everyone)[measure.respondent]
    trials = np.bincount(who, np.bincount(unit)[unit] - 1.0, minlength=len(people))
    same = np.bincount(who, times[cell] - 1.0, minlength=len(people))
    return _shares(wilson(same, trials, LEVEL))


def alike_of(measures: Sequence[Measure], people: Ints) -> list[Alike | None]:
    """Of the first question, beyond chance. Nobody is counted who has too few answers to stand out."""
    found: list[Alike | None] = [None] * len(people)
    if not measures:
        return found
    measure = measures[0]
    try:
        each = likeness(_in_people(measure, people), measurement=measure.measurement, cluster=measure.item)
    except NoOverlap:
        return found
    known = ~np.isnan(each.standard_error)
    counted = np.flatnonzero(known & (each.clusters >= LEAST_COMPARED))
    least, most = each.bounds(1 - 2 * ALARM, comparisons=max(len(counted), 1))
    lower, upper = each.bounds(LEVEL)
    for k in np.flatnonzero(known).tolist():
        others = each.coefficient[counted[counted != k]]
        found[k] = Alike(
            value=float(each.coefficient[k]),
            lower=float(lower[k]),
            upper=float(upper[k]),
            least=float(least[k]),
            most=float(most[k]),
            compared=int(each.clusters[k]),
            typical=float(np.median(others)) if len(others) > 1 else None,
        )
    return found


def _scale_use(measures: Sequence[Measure], people: Ints) -> dict[str, list[Any]]:
    """Of the first question: which value a person gave most often, and how many of all values they ever gave."""
    if not measures:
        nothing: list[Any] = [None] * len(people)
        return {"most_used": nothing, "others_most_used": nothing, "values_used": [0] * len(people)}
    values, value = np.unique(measures[0].value, return_inverse=True)
    who = np.searchsorted(people, measures[0].everyone)[measures[0].respondent]
    table = np.bincount(who * len(values) + value, minlength=len(people) * len(values))
    table = table.reshape(len(people), len(values))
    everybody = table.sum(axis=0) / table.sum()
    most = table.argmax(axis=1)
    return {
        "most_used": _shares(wilson(table.max(axis=1), table.sum(axis=1), LEVEL)),
        "others_most_used": [float(everybody[k]) for k in most],
        "values_used": (table > 0).sum(axis=1).tolist(),
        "values": [len(values)] * len(people),
    }


def _truthful(given: Given, who: Ints, count: int) -> list[Change | None]:
    """Crowd-BT's probability that a person tells the truth; None without pairs of contestants, or where no fit ends."""
    rows = given.is_work & ~np.isnan(given.outcome) & (given.first >= 0) & (given.second >= 0)
    newest = np.flatnonzero(rows & (given.first != given.second))[-MOST_FITTED:]
    found: list[Change | None] = [None] * count
    if not len(newest):
        return found
    sides = np.concatenate((given.first[newest], given.second[newest]))
    contestants, places = np.unique(sides, return_inverse=True)
    a, b = np.split(places, 2)
    comparisons = Comparisons(a=a, b=b, outcome=given.outcome[newest], count=len(contestants), annotator=who[newest])
    try:
        fit = fit_crowd(comparisons, covariance=Covariance.HESSIAN)
    except RankingError:
        return found
    reach = NormalDist().inv_cdf(0.5 + LEVEL / 2) * fit.truthful_error
    for k, person in enumerate(fit.annotator.tolist()):
        value = float(fit.truthful[k])
        found[person] = Change(value, max(0.0, value - float(reach[k])), min(1.0, value + float(reach[k])))
    return found
