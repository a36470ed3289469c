"""Each annotator's own leaning to the side shown first, shrunken towards the common one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..errors import BadCovariate, MissingLabels


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
