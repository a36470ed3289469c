"""Graded comparisons collapsed to counts per pair and grade: all that an ordinal fit without clusters needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .arrays import Floats, frozen
from .comparisons import Comparisons
from .counts import Counts
from .errors import BadOutcome, BadParameter, ShapeMismatch
from .options import checked


@dataclass(frozen=True, eq=False)
class GradeCounts:
    """Weighted counts by grade -K..K; [K + g, i, j] counts rows that showed i as A, j as B and said g."""

    shown: Floats  # (2K + 1, M, M) above the middle A was preferred
    both_bad: Floats  # (M, M) neither was acceptable: on no level

    @property
    def levels(self) -> int:
        """K."""
        return len(self.shown) // 2

    @cached_property
    def counts(self) -> Counts:
        """The same rows without their strength."""
        levels = self.levels
        return Counts(
            a_wins=frozen(self.shown[levels + 1 :].sum(axis=0)),
            b_wins=frozen(self.shown[:levels].sum(axis=0)),
            ties=frozen(self.shown[levels]),
            both_bad=self.both_bad,
        )

    def wins(self, magnitude: int) -> Floats:
        """(M, M) times i was preferred over j at that strength, on either side."""
        return np.asarray(self.shown[self.levels + magnitude] + self.shown[self.levels - magnitude].T)

    def __add__(self, other: GradeCounts) -> GradeCounts:
        """Counts of both logs together, O(K·M²). Raises ShapeMismatch."""
        if self.shown.shape != other.shown.shape:
            shapes = f"Grade counts of shapes {self.shown.shape} and {other.shown.shape} cannot be added"
            raise ShapeMismatch(f"{shapes}; count both with the same contestants and levels.")
        return GradeCounts(frozen(self.shown + other.shown), frozen(self.both_bad + other.both_bad))

    @classmethod
    def of(cls, counts: Counts) -> GradeCounts:
        """One level: preferred or not."""
        return cls(frozen(np.stack((counts.b_wins, counts.ties, counts.a_wins))), counts.both_bad)


@checked
def count_grades(comparisons: Comparisons, levels: int = 3) -> GradeCounts:
    """One pass over the rows, summing weights; `levels` is K, the greatest strength that can be said.

    Raises MissingLabels where a strength was not said, BadOutcome above `levels`, BadParameter.
    """
    if levels < 1:
        raise BadParameter(f"levels is {levels}; give the greatest strength that can be said, 1 or more.")
    grade, count = comparisons.grade, comparisons.count
    if len(grade) and (most := int(np.abs(grade).max())) > levels:
        raise BadOutcome(f"A strength of {most} is above levels={levels}; give levels={most} or merge strengths first.")
    cell = grade + levels
    if comparisons.both_bad is not None:
        cell[comparisons.both_bad] = 2 * levels + 1
    cell *= count
    cell += comparisons.a
    cell *= count
    cell += comparisons.b
    total = np.bincount(cell, weights=comparisons.weight, minlength=(2 * levels + 2) * count * count)
    planes = frozen(total.astype(np.float64, copy=False).reshape(-1, count, count))
    return GradeCounts(planes[:-1], planes[-1])
