"""How far people agree: on each question, in each slice of the items and of the people, and on each item."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.boards.measures import RESPONSES, Floats, Ints, Measure
from ranking import AgreementEstimate, NoOverlap, NoVariation, krippendorff_alpha

Bools = NDArray[np.bool_]
# An interval over more units than this, where there are too many values to gather them, is drawn from so many.
MOST_UNITS, MANY_VALUES = 20_000, 50
# Slices of one kind beyond these, by judgments, are not computed.
MOST_SLICES = 30
SEED = 20_240_101


@dataclass(frozen=True)
class Agreement:
    """`same` is the share of pairs of judgments on one unit that say exactly the same; None where nothing is twofold.

    `alpha` is None also where everybody always gave the same single value: chance agrees as well then.
    """

    question: str
    kind: str  # "", or what the slice is of: category, language, group
    name: str
    units: int
    judgments: int
    same: float | None = None
    alpha: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Of each unit that two people or more answered: how many they are, and the share of their pairs that differ."""

    unit: Ints  # (u,) ascending
    item: Ints  # (u,)
    people: Ints  # (u,)
    apart: Floats  # (u,)


def agreement_on(measure: Measure, *, kind: str = "", name: str = "") -> Agreement:
    pairs = pairs_of(measure)
    judged = int(pairs.people.sum())
    same = float(1.0 - pairs.apart.mean()) if len(pairs.unit) else None
    found = Agreement(measure.question, kind, name, len(pairs.unit), judged, same)
    estimate = alpha_of(measure, pairs)
    if estimate is None:
        return found
    interval = (float(estimate.coefficient), _number(estimate.lower), _number(estimate.upper))
    return Agreement(measure.question, kind, name, len(pairs.unit), judged, same, *interval)


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
    apart = 1.0 - alike[twofold] / (people[twofold] * (people[twofold] - 1.0))
    return Pairs(unit[twofold], unit[twofold] // RESPONSES, people[twofold], apart)


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
