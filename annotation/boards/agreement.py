"""How far people agree: on each question, in each slice of the items and of the people, and on each item."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.boards.measures import RESPONSES, Floats, Ints, Measure
from ranking import AgreementEstimate, Measurement, NoOverlap, NoVariation, krippendorff_alpha

Bools = NDArray[np.bool_]
# An interval over more units than this, where there are too many values to gather them, is drawn from so many.
MOST_UNITS, MANY_VALUES = 20_000, 50
# Slices of one kind beyond these, by judgments, are not computed.
MOST_SLICES = 30
SEED = 20_240_101
# Groups of items that are left out one after the other, for the interval of all questions together.
LEFT_OUT = 20
# Student's t for them, two-sided at 95 %.
REACH = 2.093


@dataclass(frozen=True)
class Agreement:
    """`same` is the share of pairs of judgments on one unit that say exactly the same; None where nothing is twofold.

    `alpha` is None also where everybody always gave the same single value: chance agrees as well then.
    """

    question: str
    kind: str  # "", or what the slice is of: category, language, group; of all questions together: overall
    name: str
    units: int
    judgments: int
    same: float | None = None
    alpha: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Of each unit that two people or more answered: how many they are, the share of their pairs that differ, and how
    far their pairs lie apart as a share of the scale; of categories that is the same.
    """

    unit: Ints  # (u,) ascending
    item: Ints  # (u,)
    people: Ints  # (u,)
    differ: Floats  # (u,)
    apart: Floats  # (u,)


def agreement_on(measure: Measure, *, kind: str = "", name: str = "") -> Agreement:
    pairs = pairs_of(measure)
    judged = int(pairs.people.sum())
    same = float(1.0 - pairs.differ.mean()) if len(pairs.unit) else None
    found = Agreement(measure.question, kind, name, len(pairs.unit), judged, same)
    estimate = alpha_of(measure, pairs)
    if estimate is None:
        return found
    interval = (float(estimate.coefficient), _number(estimate.lower), _number(estimate.upper))
    return Agreement(measure.question, kind, name, len(pairs.unit), judged, same, *interval)


def overall_agreement(measures: Sequence[Measure], agreements: Sequence[Agreement]) -> Agreement | None:
    """The mean of the questions' α, each as often as it has judgments to compare, which are what the mean is over.

    What one person says of one item in answer to several questions hangs together, so that the questions' own intervals
    cannot be put together: items are left out of all questions at once, a twentieth of them at a time (the grouped
    jackknife), and Student's t has as many degrees as there are groups, less one. Of one question it is that one's.
    """
    known = [(measure, each) for measure, each in zip(measures, agreements, strict=True) if each.alpha is not None]
    if len(known) < 2:
        return replace(known[0][1], kind="overall") if known else None
    weights = np.array([each.judgments for _measure, each in known], dtype=np.float64)
    value = float(np.average([each.alpha for _measure, each in known], weights=weights))
    same = float(np.average([each.same for _measure, each in known], weights=weights))
    half = _jackknifed([measure for measure, _each in known], weights)
    units, judged = (sum(getattr(each, name) for _measure, each in known) for name in ("units", "judgments"))
    ends = (None, None) if half is None else (value - half, min(1.0, value + half))
    return Agreement("", "overall", "", units, judged, same, value, *ends)


def _jackknifed(measures: Sequence[Measure], weights: Floats) -> float | None:
    """Half the width of the interval; None with too few items."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    items = np.unique(np.concatenate([measure.item for measure in measures]))
    items = rng.permutation(items)[:MOST_UNITS]
    if len(items) < LEFT_OUT:
        return None
    kept = np.sort(items)
    group = np.empty(len(kept), dtype=np.int64)
    group[np.searchsorted(kept, items)] = np.arange(len(items)) % LEFT_OUT
    whole = [measure.select(np.isin(measure.item, kept)) for measure in measures]
    found = []
    for left_out in range(LEFT_OUT):
        rest = [measure.select(group[np.searchsorted(kept, measure.item)] != left_out) for measure in whole]
        alphas = [_alpha(measure) for measure in rest]
        known = np.array([alpha is not None for alpha in alphas])
        if known.any():
            found.append(np.average([alpha for alpha in alphas if alpha is not None], weights=weights[known]))
    if len(found) < LEFT_OUT:
        return None
    # From a sample of the items, as long as they are so many that a sample is taken.
    scale = len(kept) / len(np.unique(np.concatenate([measure.item for measure in measures])))
    variance = (LEFT_OUT - 1) * float(np.var(found)) * scale
    return float(REACH * np.sqrt(variance))


def _alpha(measure: Measure) -> float | None:
    try:
        return float(krippendorff_alpha(measure.judgments(), measurement=measure.measurement).coefficient)
    except (NoOverlap, NoVariation):
        return None


def alpha_of(measure: Measure, pairs: Pairs) -> AgreementEstimate | None:
    """Krippendorff's coefficient with its interval; None where nothing is twofold, or nothing ever differs."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    rows = np.isin(measure.unit, pairs.unit)
    if len(pairs.unit) > MOST_UNITS and len(np.unique(measure.value)) > MANY_VALUES:
        rows = np.isin(measure.unit, rng.choice(pairs.unit, MOST_UNITS, replace=False))
    try:
        chosen = measure.select(rows).judgments()
        return krippendorff_alpha(chosen, measurement=measure.measurement, rng=rng)
    except (NoOverlap, NoVariation):
        return None


def pairs_of(measure: Measure) -> Pairs:
    """From each person's first answer to each unit."""
    first = measure.select(measure.judgments().first) if len(measure) else measure
    unit, place = np.unique(first.unit, return_inverse=True)
    values, value = np.unique(first.value, return_inverse=True)
    people = np.bincount(place, minlength=len(unit))
    _cells, times = np.unique(place * max(len(values), 1) + value, return_counts=True)
    alike = np.bincount(_cells // max(len(values), 1), times * (times - 1.0), minlength=len(unit))
    twofold = people >= 2
    differ = 1.0 - alike[twofold] / (people[twofold] * (people[twofold] - 1.0))
    apart = differ if first.measurement is Measurement.NOMINAL else _distances(first, place)[twofold]
    return Pairs(unit[twofold], unit[twofold] // RESPONSES, people[twofold], differ, apart)


def _distances(first: Measure, place: Ints) -> Floats:
    """The mean distance of two answers to each unit: of n sorted ones, the k-th is subtracted n - k times and added
    k - 1 times.
    """
    value = first.on_its_scale()
    order = np.lexsort((value, place))
    place, value = place[order], value[order]
    people = np.bincount(place)
    rank = np.arange(len(place)) - (np.cumsum(people) - people)[place]
    signed = (2.0 * rank - people[place] + 1.0) * value
    pairs = people * (people - 1.0) / 2.0
    return np.bincount(place, signed) / np.maximum(pairs, 1.0)


def slices_of(measure: Measure, of_items: Mapping[str, "ItemSlices"], groups: Mapping[str, Ints]) -> list[Agreement]:
    """By each kind of slice of the items, the largest first, then by the people of each group among themselves."""
    found = []
    for kind, slices in of_items.items():
        code = slices.codes(measure.item)
        for number in _largest(code):
            found.append(agreement_on(measure.select(code == number), kind=kind, name=slices.names[number]))
    for name, members in sorted(groups.items())[:MOST_SLICES]:
        own = np.isin(measure.everyone[measure.respondent], members)
        found.append(agreement_on(measure.select(own), kind="group", name=name))
    return found


@dataclass(frozen=True, eq=False)
class ItemSlices:
    """One kind of slice: the name of each item's, "" for none. `item` is ascending."""

    item: Ints
    code: Ints
    names: Sequence[str]

    def codes(self, items: Ints) -> Ints:
        """-1 where an item belongs to none."""
        if not len(self.item):
            return np.full(len(items), -1)
        code = self.code[np.minimum(np.searchsorted(self.item, items), len(self.item) - 1)]
        named = np.array([bool(name) for name in self.names])
        return np.asarray(np.where(named[code], code, -1))


def _largest(code: Ints) -> list[int]:
    numbers, counts = np.unique(code[code >= 0], return_counts=True)
    return [int(number) for number in numbers[np.argsort(-counts, kind="stable")][:MOST_SLICES]]


def disagreements(measures: Iterable[Measure], most: int) -> list[dict[str, Any]]:
    """The items that people differ most about, over all questions; of equal ones those that more people judged."""
    of_each = [pairs_of(measure) for measure in measures]
    item = np.concatenate([pairs.item for pairs in of_each] or [np.empty(0, np.int64)])
    apart = np.concatenate([pairs.apart for pairs in of_each] or [np.empty(0)])
    people = np.concatenate([pairs.people for pairs in of_each] or [np.empty(0, np.int64)])
    items, place = np.unique(item, return_inverse=True)
    mean = np.bincount(place, apart, minlength=len(items)) / np.maximum(np.bincount(place, minlength=len(items)), 1)
    judged = np.zeros(len(items), dtype=np.int64)
    np.maximum.at(judged, place, people)
    order = np.lexsort((items, -judged, -mean))
    return [
        {"item": int(items[k]), "apart": float(mean[k]), "people": int(judged[k])} for k in order[:most] if mean[k] > 0
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
