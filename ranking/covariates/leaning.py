"""Annotators' own leanings to a side, in any likelihood: the best ones at every point of a climb, then integrated out.

d_k ~ N(0, ρ²) is added to the side in annotator k's rows, ρ² by moments at the maximum with the common side. Climbed is
the profile max_d ℓ(point, d) - Σ d_k²/2ρ²: at a given point every d_k is found by itself, the profile's gradient is the
likelihood's, and its information is that of the point less Cᵀ(I + 1/ρ²)⁻¹C, C (K, p) between leanings and point. So
Newton's steps are those of point and leanings together, and nothing has n rows and K columns but a sparse 0-1 matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Floats, Ints
from ..clusters import Scores
from ..errors import NoConvergence
from ..newton import Optimum
from .design import Side
from .side import Leanings, Totals, no_leanings

Slopes = Callable[[Floats], tuple[Floats, Floats]]

MOST_ROUNDS = 200
SETTLED = 1e-10


class Likelihood(Protocol):
    """Of n rows, at a point (p,)."""

    def log_likelihood(self, point: Floats) -> float:
        """Of all rows."""
        ...

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Gradient (p,) and information (p, p), fresh arrays."""
        ...

    def scores(self, point: Floats) -> Scores:
        """(n, p) gradient of each row, times its weight."""
        ...


class Sided(Likelihood, Protocol):
    """Rows that have a side, which can be moved."""

    @property
    def weight(self) -> Floats:
        """(n,)"""
        ...

    def leant(self, lean: Floats) -> Self:
        """The same rows with `lean` (n,) added to the side."""
        ...

    def side_terms(self, point: Floats) -> tuple[Floats, Floats]:
        """(n,) slope of each row in its side and minus the second derivative, times its weight."""
        ...

    def side_crossed(self, point: Floats) -> Scores:
        """(n, p) minus each row's derivatives in its side and the point, times its weight."""
        ...


Rows = TypeVar("Rows", bound=Sided)


@dataclass(frozen=True, eq=False)
class Crowd:
    """Who among K annotators gave each of n rows."""

    label: Ints  # (K,) ascending
    place: Ints  # (n,) 0..K-1, K where nobody is known

    @classmethod
    def of(cls, annotator: Ints | None) -> Crowd:
        """From labels (n,), negative ones unknown. Raises MissingLabels."""
        label, given = no_leanings(annotator).annotator, np.asarray(annotator)
        return cls(label, np.where(given < 0, len(label), np.searchsorted(label, given)))

    @cached_property
    def member(self) -> Scores:
        """(K, n)"""
        named = np.flatnonzero(self.place < len(self.label))
        where = (np.ones(len(named)), (self.place[named], named))
        return csr_array(where, shape=(len(self.label), len(self.place)))

    def sums(self, values: Floats) -> Floats:
        """(K,) of (n,)."""
        return np.asarray(np.bincount(self.place, values, len(self.label) + 1)[:-1], dtype=np.float64)

    def each(self, values: Floats) -> Floats:
        """(n, ...) from (K, ...), zero where nobody is known."""
        return np.asarray(np.concatenate((values, np.zeros((1, *values.shape[1:]))))[self.place])


@dataclass(eq=False)
class LeaningRows(Generic[Rows]):
    """A likelihood with leanings, which it keeps from one point as the start at the next."""

    rows: Rows
    crowd: Crowd
    variance: float  # ρ², positive
    standing: Floats  # (K,) how often an annotator counts: once, but where people are weighed
    deviation: Floats  # (K,)

    @property
    def precision(self) -> Floats:
        """(K,)"""
        return self.standing / self.variance

    @property
    def held(self) -> float:
        """What the leanings found last cost."""
        return 0.5 * float(self.precision @ self.deviation**2)

    def at(self, point: Floats) -> Rows:
        """The rows with everyone's best leaning. Raises NoConvergence."""
        for _ in range(MOST_ROUNDS):
            rows = self.rows.leant(self.crowd.each(self.deviation))
            left, spread = (self.crowd.sums(one) for one in rows.side_terms(point))
            step = (left - self.precision * self.deviation) / (spread + self.precision)
            if np.abs(step).max() <= SETTLED:
                return rows
            # Damped as in `climb`.
            self.deviation = self.deviation + np.sign(step) * np.log1p(np.abs(step))
        raise NoConvergence(f"Annotators' leanings did not settle in {MOST_ROUNDS} rounds; use Side.COMMON.")

    def log_likelihood(self, point: Floats) -> float:
        """Of the rows, leanings given."""
        return self.at(point).log_likelihood(point)

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Of the profile."""
        rows = self.at(point)
        slope, information = rows.derivatives(point)
        crossed, whole = self._crossed(rows, point)
        return slope, information - crossed.T @ (crossed / (whole + self.precision)[:, None])

    def scores(self, point: Floats) -> Scores:
        """(n, p) of the likelihood with leanings integrated out, once summed by annotator.

        Scores in d_k sum to d_k/ρ² at the maximum. Rows bear that in proportion to what they tell of d_k.
        """
        rows, crowd = self.at(point), self.crowd
        left, spread = rows.side_terms(point)
        crossed, whole = self._crossed(rows, point)
        borne = np.divide(crowd.sums(left), whole, out=np.zeros_like(whole), where=whole > 0.0)
        own = left - crowd.each(borne) * spread
        share = crossed / (whole + self.precision)[:, None]
        return csr_array(rows.scores(point).toarray() - own[:, None] * crowd.each(share))

    def leanings(self, point: Floats) -> Leanings:
        """Posterior modes, with their errors given the point."""
        spread = self.crowd.sums(self.at(point).side_terms(point)[1])
        error = np.sqrt(self.standing / (spread + self.precision))
        return Leanings(self.crowd.label, self.deviation, error, self.variance)

    def _crossed(self, rows: Rows, point: Floats) -> tuple[Floats, Floats]:
        """C (K, p) and I (K,)."""
        crossed = (self.crowd.member @ rows.side_crossed(point)).toarray()
        return np.asarray(crossed, dtype=np.float64), self.crowd.sums(rows.side_terms(point)[1])


def leaning_rows(
    rows: Rows,
    crowd: Crowd,
    point: Floats,
    moments: Callable[[Totals], float] = Totals.variance,
    standing: Floats | None = None,
) -> LeaningRows[Rows] | None:
    """From the maximum with the common side; None where annotators do not differ by more than chance.

    `standing` (n,), the same for all rows of an annotator, is in their weights already.
    """
    each = np.ones(len(crowd.label))
    if standing is not None:
        each = crowd.sums(standing) / crowd.sums(np.ones_like(standing))
    left, spread = rows.side_terms(point)
    squared = np.divide(left**2, rows.weight, out=np.zeros_like(left), where=rows.weight > 0.0)
    variance = moments(Totals(*(crowd.sums(one) / each for one in (left, squared, spread))))
    return LeaningRows(rows, crowd, variance, each, np.zeros(len(each))) if variance > 0.0 else None


@dataclass(frozen=True, eq=False)
class Peak:
    """Where a climb ended, what it climbed, and who leans."""

    optimum: Optimum
    rows: Likelihood
    leanings: Leanings | None = None  # under Side.ANNOTATOR


def climb_sides(
    rows: Rows,
    side: Side,
    annotator: Ints | None,
    start: Floats,
    climb: Callable[[Slopes, Floats], Optimum],
    moments: Callable[[Totals], float] = Totals.variance,
    standing: Floats | None = None,
) -> Peak:
    """With the common side; under Side.ANNOTATOR, from there on, with everyone's own. Raises MissingLabels."""
    crowd = Crowd.of(annotator) if side is Side.ANNOTATOR else None
    found = climb(rows.derivatives, start)
    if crowd is None:
        return Peak(found, rows)
    leaning = leaning_rows(rows, crowd, found.point, moments, standing)
    if leaning is None:
        return Peak(found, rows, no_leanings(annotator))
    best = climb(leaning.derivatives, found.point)
    return Peak(best, leaning, leaning.leanings(best.point))
