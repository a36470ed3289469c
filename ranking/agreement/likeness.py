"""How far each annotator says what the others say of the same item: who guesses is as like them as by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ..arrays import Bools, Floats, Ints
from ..errors import BadParameter, NoOverlap, ShapeMismatch
from ..options import checked
from .coefficients import Measurement
from .judgments import ItemJudgments

# Rarer categories than the most frequent ones are taken for one: a guess is no likelier to be right by that.
MOST_CATEGORIES = 50


@dataclass(frozen=True, eq=False)
class Likeness:
    """Agreement of each annotator with the others beyond chance, 1 - observed/expected disagreement."""

    coefficient: Floats  # (A,) 1 = perfect, 0 = as one who guesses; NaN with nobody to compare with
    standard_error: Floats  # (A,) over clusters; NaN with fewer than two
    clusters: Ints  # (A,)
    judged: Ints  # (A,) first answers to items that somebody else answered

    def bounds(self, level: float = 0.95, *, comparisons: int = 1) -> tuple[Floats, Floats]:
        """(A,) lower and (A,) upper ends by Student's t, Bonferroni-corrected. Raises BadParameter."""
        if not 0.0 < level < 1.0 or comparisons < 1:
            raise BadParameter(f"level is {level} and comparisons {comparisons}; give a probability and 1 or more.")
        reach = stdtrit(np.maximum(self.clusters - 1, 1), 1.0 - (1.0 - level) / (2.0 * comparisons))
        half = reach * self.standard_error
        return self.coefficient - half, self.coefficient + half


@checked
def likeness(
    judgments: ItemJudgments,
    *,
    measurement: Measurement = Measurement.NOMINAL,
    cluster: Ints | None = None,
) -> Likeness:
    """Of first answers to items that another annotator answered too; unknown annotators are somebody else.

    For annotator r with values x_u on n items u, and o_u the mean value of the others there, 1 - D_o/D_e with D_o the
    mean of δ²(r, another) on the same items, and D_e its expectation if r's answers were dealt to the items at random:
    as D_e - D_o = 2·cov(x, o), whoever answers without regard to the item has 0, whatever they answer most. δ² is
    that of Krippendorff's α, whose value for two annotators this nears. The error is that of the covariance's terms,
    summed within `cluster` (n,): by item, where several values are of one.
    Raises NoOverlap, ShapeMismatch.
    """
    if cluster is not None and cluster.shape != judgments.item.shape:
        raise ShapeMismatch(f"cluster has shape {cluster.shape}; give one number per judgment.")
    items, item = np.unique(judgments.item, return_inverse=True)
    people = np.bincount(item[judgments.first], minlength=len(items))
    used = judgments.first & (people[item] >= 2)
    if not (used & (judgments.annotator >= 0)).any():
        raise NoOverlap("No known annotator judged an item that somebody else did; give items to several.")
    item, who = item[used], judgments.annotator[used]
    own = who >= 0
    places = _places(judgments.value[used], measurement)
    term, expected = _terms(places, item, people, who, own, judgments.annotators)
    groups = item if cluster is None else cluster[used]
    return _summed(term[own], expected, who[own], groups[own])


def _places(value: Floats, measurement: Measurement) -> Iterator[Floats]:
    """(n,) where each value lies in every dimension, so that δ² is the squared distance; a category is a corner."""
    if measurement is Measurement.INTERVAL:
        yield value - value.mean()
        return
    _values, code, count = np.unique(value, return_inverse=True, return_counts=True)
    if measurement is Measurement.ORDINAL:
        yield ((np.cumsum(count) - 0.5 * count) / len(value))[code]
        return
    by_count = np.argsort(np.argsort(-count, kind="stable"))
    code = np.minimum(by_count, MOST_CATEGORIES - 1)[code]
    for category in range(int(code.max()) + 1):
        yield np.where(code == category, np.sqrt(0.5), 0.0)


def _terms(
    places: Iterator[Floats], item: Ints, people: Ints, who: Ints, own: Bools, annotators: int
) -> tuple[Floats, Floats]:
    """(n,) each row's part of 2·cov, and (A,) the expected disagreement."""
    term, expected = np.zeros(len(item)), np.zeros(annotators)
    others = people[item] - 1.0
    rows = np.maximum(np.bincount(who[own], minlength=annotators), 1)
    for place in places:
        totals, squares = (np.bincount(item, part, minlength=len(people)) for part in (place, place * place))
        of_others = (totals[item] - place) / others
        squared = (squares[item] - place * place) / others
        mean, mean_others, spread = (
            np.bincount(who[own], part[own], minlength=annotators) / rows
            for part in (place, of_others, place * place + squared)
        )
        term += 2.0 * (place - mean[who]) * (of_others - mean_others[who])
        expected += spread - 2.0 * mean * mean_others
    return term, expected


def _summed(term: Floats, expected: Floats, who: Ints, cluster: Ints) -> Likeness:
    annotators = len(expected)
    judged = np.bincount(who, minlength=annotators)
    pairs, pair = np.unique(np.stack((who, cluster)), axis=1, return_inverse=True)
    pair = pair.reshape(-1)
    owner, sizes = pairs[0], np.bincount(pair)
    clusters = np.bincount(owner, minlength=annotators)
    mean = np.bincount(who, term, minlength=annotators) / np.maximum(judged, 1)
    # What the means take from the terms is given back: n - 1 of n answers are free.
    mean = mean * judged / np.maximum(judged - 1, 1)
    apart = np.bincount(pair, term) - mean[owner] * sizes
    square = np.bincount(owner, apart * apart, minlength=annotators) * clusters / np.maximum(clusters - 1, 1)
    known = (judged >= 2) & (expected > 0.0)
    scale = np.where(known, expected, np.nan)
    error = np.sqrt(square) / np.maximum(judged, 1) / scale
    return Likeness(
        coefficient=np.where(known, mean / scale, np.nan),
        standard_error=np.where(clusters >= 2, error, np.nan),
        clusters=clusters,
        judged=judged,
    )
