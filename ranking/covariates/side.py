"""Each annotator's own leaning to the side shown first, shrunken towards the common one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..errors import BadCovariate, MissingLabels
from .design import BLOCK, Design
from .sums import Parameters, residuals


@dataclass(frozen=True, eq=False)
class Leanings:
    """d_k ~ N(0, variance) beyond the common side, in logits or the fit's unit; rows without an annotator have none."""

    annotator: Ints  # (K,) labels, ascending
    deviation: Floats  # (K,) posterior mode
    standard_error: Floats  # (K,) given the other parameters
    variance: float  # ρ²; 0 where annotators do not differ by more than chance

    def of(self, annotator: Ints) -> Floats:
        """(n,) deviation of each row's annotator."""
        place = np.minimum(np.searchsorted(self.annotator, annotator), len(self.annotator) - 1)
        return np.where(self.annotator[place] == annotator, self.deviation[place], 0.0)

    def times(self, unit: float) -> Leanings:
        """In another unit."""
        return Leanings(self.annotator, self.deviation * unit, self.standard_error * unit, self.variance * unit**2)


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums per annotator at some parameters, η being the logit."""

    left: Floats  # (K,) Σ w·∂η, with half ties w·(y - p)
    squared: Floats  # (K,) Σ w·(∂η)²
    spread: Floats  # (K,) Σ -w·∂η²

    def variance(self) -> float:
        """ρ² by moments at a fit without leanings: Σ R²/(φ·I) expects K + ρ²·ΣI/φ (R residual, I information, φ the
        dispersion that ties leave)."""
        seen = self.spread > 0
        information = self.spread[seen]
        dispersion = float(self.squared[seen].sum() / information.sum())
        misfit = float((self.left[seen] ** 2 / information).sum()) / dispersion - len(information)
        return max(0.0, dispersion * misfit / float(information.sum()))


def no_leanings(annotator: Ints | None) -> Leanings:
    """All zero, from the labels (n,) of the rows. Raises MissingLabels."""
    if annotator is None or not (annotator >= 0).any():
        raise MissingLabels("Side.ANNOTATOR needs `annotator` labels; use Side.COMMON.")
    labels = np.unique(annotator[annotator >= 0])
    nothing = np.zeros(len(labels))
    return Leanings(labels, nothing, nothing, 0.0)


def refuse_one_sided(for_a: Floats | Bools, for_b: Floats | Bools) -> None:
    """From which preferences went to either side. Raises BadCovariate."""
    if not for_a.any() or not for_b.any():
        raise BadCovariate(
            "side: every preference went to one side, so its gain has no bound. Counts.of folds the sides; keep both "
            "planes, or use Side.NONE."
        )


def leaning_variance(design: Design, at: Parameters, leanings: Leanings) -> float:
    """ρ² at a fit without leanings."""
    totals = _per_annotator(design, at, leanings)
    return Totals(totals.left[:-1], totals.squared[:-1], totals.spread[:-1]).variance()


def improved(design: Design, at: Parameters, leanings: Leanings, variance: float) -> tuple[Leanings, float]:
    """One Newton step of every deviation and the common side together, each at most a logit; the side's step."""
    totals = _per_annotator(design, at, leanings)
    own = totals.left[:-1] - leanings.deviation / variance
    curvature = totals.spread[:-1] + 1.0 / variance
    share = totals.spread[:-1] / curvature
    free = totals.spread.sum() - share @ totals.spread[:-1]
    common = float((totals.left.sum() - share @ own) / free)
    step = own / curvature - share * common
    moved = leanings.deviation + np.clip(step, -1.0, 1.0)
    return Leanings(leanings.annotator, moved, np.sqrt(1.0 / curvature), variance), float(np.clip(common, -1.0, 1.0))


def _per_annotator(design: Design, at: Parameters, leanings: Leanings) -> Totals:
    """With those of rows without an annotator last."""
    annotator = design.rows.annotator
    assert annotator is not None  # no_leanings has refused
    size = len(leanings.annotator) + 1
    totals = np.zeros((3, size))
    for start, (block, terms) in zip(range(0, len(annotator), BLOCK), residuals(design, at), strict=True):
        labels = annotator[start : start + BLOCK]
        place = np.where(labels < 0, size - 1, np.searchsorted(leanings.annotator, labels))
        weight = 1.0 if block.weight is None else block.weight
        for total, values in zip(totals, (terms.left, terms.left**2, terms.spread), strict=True):
            total += np.bincount(place, weights=weight * values, minlength=size)
    return Totals(*totals)
