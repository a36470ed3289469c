"""Each annotator by themselves: against known answers, against earlier answers, and between the two sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..comparisons import Comparisons
from ..errors import BadParameter, MissingLabels, NoOverlap, ShapeMismatch, UnknownIndex
from ..options import checked
from ..proportions import Shares, wilson
from .coefficients import DRAWS, Measurement, krippendorff_alpha
from .judgments import ItemJudgments
from .profiles import AgreementEstimate

# More are labels that were not numbered.
MOST_ANNOTATORS = 10**7


@dataclass(frozen=True, eq=False)
class RetestAgreement:
    """Answers to items judged again by the same person."""

    same: Shares  # (A,) share of repeats that gave the answer before again
    everyone: Shares  # (1,)
    reliability: AgreementEstimate  # Krippendorff's α with each person's item as the unit


@dataclass(frozen=True, eq=False)
class SideBias:
    """Share of preferences for the side shown as A; ½ without bias, where sides are drawn by a fair coin."""

    annotator: Shares  # (A,)
    everyone: Shares  # (1,)


@checked
def gold_accuracy(judgments: ItemJudgments, gold: Floats, *, level: float = 0.95) -> Shares:
    """(A,) share of each annotator's first answers that equal the known one, with Wilson intervals.

    gold (n,) is the known value, NaN where none is. Raises ShapeMismatch, NoOverlap.
    """
    if gold.shape != judgments.value.shape:
        raise ShapeMismatch(f"gold has shape {gold.shape}; give one value per judgment, NaN where none is known.")
    asked = judgments.first & ~np.isnan(gold)
    if not asked.any():
        raise NoOverlap("No judged item has a known answer; mix some into the work.")
    return _shares(judgments.annotator, judgments.value == gold, asked, judgments.annotators, level)


@checked
def retest_agreement(
    judgments: ItemJudgments,
    *,
    measurement: Measurement = Measurement.NOMINAL,
    within: float | Floats = 0.0,
    rng: np.random.Generator | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
) -> RetestAgreement:
    """Test-retest reliability: each repeat against the answer just before it, and all of them in one coefficient.

    `same` counts repeats that lie no further than `within`, in the values' own unit, from the answer before them:
    one distance, or (A,) one for each annotator. Raises NoOverlap, NoVariation, BadParameter, ShapeMismatch.
    """
    reach = _reach(within, judgments.annotators)
    order = np.argsort(judgments.visit, kind="stable")
    again = np.zeros(len(judgments), dtype=bool)
    again[order[1:]] = np.diff(judgments.visit[order]) == 0
    if not again.any():
        raise NoOverlap("No annotator judged an item twice; show some items again.")
    before = np.roll(judgments.value[order], 1)
    same = np.zeros(len(judgments), dtype=bool)
    same[order] = np.abs(judgments.value[order] - before) <= reach[judgments.annotator[order]]
    by_visit = ItemJudgments(
        item=judgments.visit,
        annotator=np.full(len(judgments), -1),
        value=judgments.value,
        annotators=0,
    )
    return RetestAgreement(
        same=_shares(judgments.annotator, same, again, judgments.annotators, level),
        everyone=wilson(np.array([float(same[again].sum())]), np.array([float(again.sum())]), level),
        reliability=krippendorff_alpha(by_visit, measurement=measurement, rng=rng, draws=draws, level=level),
    )


def _reach(within: float | Floats, annotators: int) -> Floats:
    """Of each annotator, and last, where -1 leads, of nobody known."""
    given = np.asarray(within, dtype=np.float64)
    if given.shape not in ((), (annotators,)):
        raise ShapeMismatch(f"`within` is one distance or one for each of {annotators} annotators, not {given.shape}.")
    if not np.all((given >= 0.0) & (given < np.inf)):
        raise BadParameter("`within` is a distance: a finite number that is not negative.")
    return np.append(np.broadcast_to(given, annotators), 0.0)


@checked
def side_bias(comparisons: Comparisons, *, level: float = 0.95) -> SideBias:
    """From every row that prefers a side, weighted; contestants met with themselves tell most.

    Right only where sides were drawn by a fair coin: else the contestants on one side may be better, and the bias is a
    covariate of a fit. Needs annotators 0..A-1, negative = unknown. Raises MissingLabels, NoOverlap, UnknownIndex.
    """
    if comparisons.annotator is None:
        raise MissingLabels("Side bias per annotator needs `annotator` in the comparisons.")
    decisive = comparisons.outcome != 0.5
    if not decisive.any():
        raise NoOverlap("No row prefers a side; collect votes that are not ties.")
    weight = np.ones(len(comparisons)) if comparisons.weight is None else comparisons.weight
    for_a = comparisons.outcome == 1.0
    count = max(int(comparisons.annotator.max()), -1) + 1
    if count > MOST_ANNOTATORS:
        raise UnknownIndex(f"annotator holds {count - 1}; number the annotators 0 to A - 1, as each gets a share.")
    whole, part = weight[decisive].sum(), weight[decisive & for_a].sum()
    return SideBias(
        annotator=_shares(comparisons.annotator, for_a, decisive, count, level, weight),
        everyone=wilson(np.array([part]), np.array([whole]), level),
    )


def _shares(
    annotator: Ints, success: Bools, asked: Bools, count: int, level: float, weight: Floats | None = None
) -> Shares:
    """(count,) of the rows asked, unknown annotators left out."""
    known = asked & (annotator >= 0)
    worth = np.ones(len(annotator)) if weight is None else weight
    won = known & success
    return wilson(_total(annotator[won], worth[won], count), _total(annotator[known], worth[known], count), level)


def _total(annotator: Ints, worth: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(annotator, worth, minlength=count), dtype=np.float64)
