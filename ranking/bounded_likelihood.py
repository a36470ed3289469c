"""The normal likelihood of amounts that are known exactly or only between two bounds.

In γ = U/σ, side/σ and h = 1/σ it is concave (Olsen 1978, "Note on the uniqueness of the maximum likelihood estimator
for the Tobit model", Econometrica 46): an exact amount w gives ln h - ½(h·w - μ)², one in [l, u] gives
ln(Φ(h·u - μ) - Φ(h·l - μ)), μ = γ_a - γ_b + x·β/σ + side/σ + d_k/σ, where an annotator's own d_k ~ N(0, ρ²) is held by
ρ²/σ², so that it stays concave. Newton's steps are in ln h, which keeps h positive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse import csr_array
from scipy.special import log_ndtr

from .arrays import Bools, Floats, Ints
from .clusters import Scores
from .covariates.adjustment import Columns
from .covariates.side import Totals

# Of the common fit's variance that leanings may be: amounts without other noise would leave the side to chance.
MOST_SHARE = 1.0 - 1e-6
LOG_ROOT = 0.5 * float(np.log(2.0 * np.pi))


@dataclass(frozen=True, eq=False)
class BoundedRows:
    """n amounts about m contestants; a point is (m + k + 2,): γ, β/σ, side/σ (zero without `sided`), ln h."""

    a: Ints  # (n,)
    b: Ints  # (n,)
    low: Floats  # (n,) -inf without a bound; equal to `high` where exact
    high: Floats  # (n,)
    weight: Floats  # (n,)
    count: int  # m
    sided: bool  # whether the side effect is fitted
    columns: Columns | None = None  # (n, k) covariates; a penalty of 1 weighs as much as one exact amount
    lean: Floats | None = None  # (n,) added to the side

    @property
    def exact(self) -> Bools:
        """(n,)"""
        return np.asarray(self.low == self.high)

    @property
    def typical(self) -> Floats:
        """(n,) the middle of the bounds, or the one there is."""
        low = np.where(np.isfinite(self.low), self.low, self.high)
        return np.asarray(0.5 * (low + np.where(np.isfinite(self.high), self.high, self.low)))

    @property
    def covariates(self) -> Floats:
        """(n, k)"""
        return np.empty((len(self.a), 0)) if self.columns is None else self.columns.values

    @property
    def design(self) -> Floats:
        """(n, m + k + 1) of μ: +1 for A and -1 for B, covariates, and 1 where the side is fitted."""
        eye = np.eye(self.count)
        side = np.full(len(self.a), float(self.sided))
        return np.column_stack((eye[self.a] - eye[self.b], self.covariates, side))

    def leant(self, lean: Floats) -> Self:
        """The same with other leanings."""
        return replace(self, lean=lean)

    def expected(self, point: Floats) -> Floats:
        """(n,) μ"""
        effect = self.covariates @ point[self.count : -2]
        mean = np.asarray(point[self.a] - point[self.b] + effect + point[-2])
        return mean if self.lean is None else mean + self.lean

    def log_likelihood(self, point: Floats) -> float:
        """Of the densities of exact amounts and the probabilities of bounded ones."""
        h, mean, exact = float(np.exp(point[-1])), self.expected(point), self.exact
        density = point[-1] - LOG_ROOT - 0.5 * (h * np.where(exact, self.low, 0.0) - mean) ** 2
        chance = _log_between(h * self.low[~exact] - mean[~exact], h * self.high[~exact] - mean[~exact])
        each = np.where(exact, density, 0.0)
        each[~exact] = chance
        return float(self.weight @ each)

    def terms(self, point: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """(n,) of weight one: slopes in μ and h, then information μμ, μh and hh."""
        h, mean, exact = float(np.exp(point[-1])), self.expected(point), self.exact
        amount = np.where(exact, self.low, 0.0)
        error = h * amount - mean
        slopes = [error, 1.0 / h - amount * error]
        square = [np.ones_like(mean), -amount, amount**2 + 1.0 / h**2]
        low, high, mean = self.low[~exact], self.high[~exact], mean[~exact]
        lower, upper = h * low - mean, h * high - mean
        log_chance = _log_between(lower, upper)
        pull = np.exp(-0.5 * upper**2 - LOG_ROOT - log_chance)
        push = np.exp(-0.5 * lower**2 - LOG_ROOT - log_chance)
        low, high, lower, upper = (np.where(np.isfinite(x), x, 0.0) for x in (low, high, lower, upper))
        above, below, both = upper * pull + pull**2, push**2 - lower * push, -pull * push
        bounded = (
            push - pull,
            high * pull - low * push,
            above + 2.0 * both + below,
            -(high * (above + both) + low * (both + below)),
            high**2 * above + 2.0 * high * low * both + low**2 * below,
        )
        for whole, part in zip((*slopes, *square), bounded, strict=True):
            whole[~exact] = part
        return slopes[0], slopes[1], square[0], square[1], square[2]

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Gradient (m + k + 2,) and information (m + k + 2, m + k + 2), penalised, regular along the constant.

        The information leaves out the slope in h times the curvature of exp, which vanishes at the maximum.
        """
        h, m = float(np.exp(point[-1])), self.count
        by_mean, by_h, square, crossed, own = (self.weight * one for one in self.terms(point))
        slope = np.append(self._along(by_mean), h * by_h.sum())
        information = np.zeros((len(point), len(point)))
        cells = np.bincount(self.a * m + self.b, weights=square, minlength=m**2).reshape(m, m)
        between = cells + cells.T
        inner = np.diag(between.sum(axis=1)) - between
        information[:m, :m] = inner + inner.trace() / inner.size
        columns = np.column_stack((self.covariates, np.ones(len(self.a))))
        for place, column in enumerate(columns.T, start=m):
            information[place, :-1] = information[:-1, place] = self._along(square * column)
        information[-1, :-1] = information[:-1, -1] = h * self._along(crossed)
        information[-1, -1] = h * h * own.sum()
        if self.columns is not None:
            slope[m:-2] -= self.columns.penalty * point[m:-2]
            information[m:-2, m:-2] += np.diag(self.columns.penalty)
        if not self.sided:
            slope[-2] = information[-2, :] = information[:, -2] = 0.0
            information[-2, -2] = 1.0
        return slope, information

    def start(self) -> Floats:
        """(m + k + 2,) by least squares on the middles; amounts about one in size."""
        typical, design, root = self.typical, self.design, np.sqrt(self.weight)
        found = np.linalg.lstsq(design * root[:, None], typical * root, rcond=None)[0]
        left = np.average((typical - design @ found) ** 2, weights=self.weight)
        h = 1.0 / float(np.sqrt(max(left, 1e-4)))
        return np.concatenate((h * found, [np.log(h)]))

    def scores(self, point: Floats) -> Scores:
        """(n, m + k + 2) gradient of each row, times its weight."""
        by_mean, by_h = self.terms(point)[:2]
        return self._rows(by_mean, by_h * float(np.exp(point[-1])))

    def side_terms(self, point: Floats) -> tuple[Floats, Floats]:
        """(n,) in μ, whether or not the common side is fitted; see `covariates.leaning`."""
        terms = self.terms(point)
        return self.weight * terms[0], self.weight * terms[2]

    def side_crossed(self, point: Floats) -> Scores:
        """(n, m + k + 2) see `covariates.leaning`."""
        terms = self.terms(point)
        return self._rows(terms[2], terms[3] * float(np.exp(point[-1])))

    def _rows(self, along: Floats, own: Floats) -> Scores:
        """(n, m + k + 2) of each row times its weight: `along` what μ moves with, and `own` in ln h."""
        pulled = self.weight * along
        last = np.column_stack((self.covariates, np.full(len(self.a), float(self.sided)))) * pulled[:, None]
        values = np.column_stack((pulled, -pulled, last, self.weight * own))
        end = self.count + last.shape[1] + 1
        after = np.broadcast_to(np.arange(self.count, end), (len(self.a), end - self.count))
        columns = np.column_stack((self.a, self.b, after))
        starts = np.arange(0, values.size + 1, values.shape[1])
        return csr_array((values.ravel(), columns.ravel(), starts), shape=(len(self.a), end))

    def _along(self, values: Floats) -> Floats:
        """(m + k + 1,) Σ values times what μ moves with."""
        plus = np.bincount(self.a, weights=values, minlength=self.count)
        by_contestant = plus - np.bincount(self.b, weights=values, minlength=self.count)
        return np.concatenate((by_contestant, self.covariates.T @ values, [values.sum()]))


def noise_ratio(totals: Totals) -> float:
    """ρ²/σ² by moments, in units of the common fit's noise, which holds both: its square is ρ² + σ².

    Σ R²/I then expects K·σ² + ρ²·ΣI.
    """
    seen = totals.spread > 0.0
    information = totals.spread[seen]
    free = float(information.sum()) - len(information)
    misfit = float((totals.left[seen] ** 2 / information).sum()) - len(information)
    share = min(misfit / free, MOST_SHARE) if free > 0.0 else 0.0
    return max(0.0, share / (1.0 - share))


def _log_between(lower: Floats, upper: Floats) -> Floats:
    """ln(Φ(upper) - Φ(lower)), taken in the left tail, where it keeps its digits."""
    right = lower > 0
    low, high = np.where(right, -upper, lower), np.where(right, -lower, upper)
    top = log_ndtr(high)
    return np.asarray(top + np.log(-np.expm1(log_ndtr(low) - top)))
