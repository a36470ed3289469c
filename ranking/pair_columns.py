"""Pair effects with covariates: logit P(A preferred) = θ_a - θ_b + x·β + u_ab, by the quasi-score of `pair_effects`.

Votes on a pair share u, of variance ω², so that theirs are correlated: to first order their covariance is
V + ω²·v·vᵀ with V = diag(v), v = pq. Its quasi-score (Wedderburn 1974; Liang & Zeger 1986, Biometrika 73, section 3)
is Σ z·(y - p) - Σ_pairs c·h·R, with h = Σ v·z and R = Σ (y - p) over the pair's votes and c = ω²/(1 + ω²·Σ v); its
information Σ v·z·zᵀ - Σ_pairs c·h·hᵀ. In h and R, votes are turned to the pair's first. Where x does not vary within
pairs this is the quasi-likelihood of `pair_effects`, the information being the expected one.

The prior variance τ² is learned as there, from the normal approximation at the mode, effects taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, diags_array, hstack
from scipy.special import expit

from .arrays import Floats, Ints
from .clusters import Scores
from .comparisons import Comparisons
from .covariates.adjustment import Adjustment, Columns, columns_of
from .covariates.ascent import climb_with_effects
from .covariates.design import Side
from .covariates.side import refuse_one_sided
from .errors import BadParameter, NoConvergence
from .newton import Optimum
from .pair_effects import PRIOR_VARIANCES, excess_variance
from .priors import NormalPrior

MOST_ROUNDS = 30


@dataclass(frozen=True, eq=False)
class AdjustedPairs:
    """n votes between two of m contestants, over P pairs; a point (m + k,) is θ and β."""

    rows: Comparisons
    columns: Columns
    weight: Floats  # (n,)
    z: Scores  # (n, m + k)
    pair: Ints  # (n,)
    sign: Floats  # (n,) 1 where A is the pair's first, -1 where B is
    first: Ints  # (P,)
    second: Ints  # (P,)
    together: Floats  # (m, m) 1 where two strengths share a scale
    variance: float = 0.0  # ω²

    @classmethod
    def of(cls, rows: Comparisons, groups: Ints, asked: Adjustment) -> AdjustedPairs:
        """`groups` (m,) numbers those with a common scale. Raises BadCovariate, BadParameter, ShapeMismatch."""
        if asked.side is Side.ANNOTATOR:
            raise BadParameter("Pair effects have no side for each annotator; use Side.COMMON.")
        rows = rows.select(rows.a != rows.b)
        if asked.side is not Side.NONE:
            refuse_one_sided(rows.outcome == 1.0, rows.outcome == 0.0)
        columns, n, m = columns_of(rows, asked), len(rows), rows.count
        low, high = np.minimum(rows.a, rows.b), np.maximum(rows.a, rows.b)
        cell, pair = np.unique(low * m + high, return_inverse=True)
        ends = np.tile([1.0, -1.0], n), np.column_stack((rows.a, rows.b)).ravel(), 2 * np.arange(n + 1)
        return cls(
            rows=rows,
            columns=columns,
            weight=np.ones(n) if rows.weight is None else rows.weight,
            z=csr_array(hstack((csr_array(ends, shape=(n, m)), csr_array(columns.values)))),
            pair=pair,
            sign=np.where(rows.a == low, 1.0, -1.0),
            first=cell // m,
            second=cell % m,
            together=(groups[:, None] == groups[None, :]).astype(np.float64),
        )

    def by_pair(self, values: Floats) -> Floats:
        """(P,) of (n,)."""
        return np.asarray(np.bincount(self.pair, values, len(self.first)), dtype=np.float64)

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Quasi-score and information."""
        left, spread = self._terms(point)
        pulled, share = self._pulled(spread), self._share(spread)
        slope = self.z.T @ left - pulled.T @ (share * self.by_pair(self.sign * left))
        own = self.z.T @ diags_array(spread) @ self.z - pulled.T @ diags_array(share) @ pulled
        return np.asarray(slope), np.ascontiguousarray(own.toarray())

    def effects(self, point: Floats) -> Floats:
        """(P,) û = ω²·R/(1 + ω²·Σv), towards the pair's first."""
        left, spread = self._terms(point)
        return self._share(spread) * self.by_pair(self.sign * left)

    def log_likelihood(self, point: Floats) -> float:
        """Of the votes, û given."""
        logit = np.asarray(self.z @ point) + self.sign * self.effects(point)[self.pair]
        return float(self.weight @ (self.rows.outcome * logit - np.logaddexp(0.0, logit)))

    def pair_scores(self, point: Floats) -> Scores:
        """(P, m + k) quasi-score of each pair."""
        left, spread = self._terms(point)
        taken = self._share(spread) * self.by_pair(self.sign * left)
        return csr_array(self._member(left) @ self.z - diags_array(taken) @ self._pulled(spread))

    def scores(self, point: Floats) -> Scores:
        """(n, m + k) of each vote beyond its pair's effect."""
        _, spread = self._terms(point)
        logit = np.asarray(self.z @ point) + self.sign * self.effects(point)[self.pair]
        left = self.weight * (self.rows.outcome - expit(logit))
        taken = diags_array(self._share(spread)) @ self._pulled(spread)
        return csr_array(diags_array(left) @ (self.z - diags_array(self.sign) @ csr_array(taken)[self.pair]))

    def pair_meat(self, point: Floats) -> Floats:
        """(m + k, m + k) variance of the quasi-score from the pairs' own effects."""
        _, spread = self._terms(point)
        felt = diags_array(1.0 / (1.0 + self.variance * self.by_pair(spread))) @ self._pulled(spread)
        return np.asarray(self.variance * (felt.T @ felt).toarray())

    def misfit(self, point: Floats) -> float:
        """ω² by moments at a point."""
        left, spread = self._terms(point)
        ties = self.by_pair(self.weight * (self.rows.outcome == 0.5))
        return excess_variance(
            self.by_pair(self.sign * left), self.by_pair(spread), self.by_pair(self.weight), ties, self.rows.count
        )

    def _terms(self, point: Floats) -> tuple[Floats, Floats]:
        chance = expit(np.asarray(self.z @ point))
        return self.weight * (self.rows.outcome - chance), self.weight * chance * (1.0 - chance)

    def _share(self, spread: Floats) -> Floats:
        return self.variance / (1.0 + self.variance * self.by_pair(spread))

    def _member(self, values: Floats) -> Scores:
        """(P, n)"""
        return csr_array((values, (self.pair, np.arange(len(values)))), shape=(len(self.first), len(values)))

    def _pulled(self, spread: Floats) -> Scores:
        """(P, m + k) h"""
        return csr_array(self._member(self.sign * spread) @ self.z)


@dataclass(frozen=True, eq=False)
class LearnedPairs:
    """A mode with its variances."""

    pairs: AdjustedPairs
    optimum: Optimum
    variance: float  # τ²


def learn_pairs(pairs: AdjustedPairs, variance: float | None, pair_variance: float | None) -> LearnedPairs:
    """None learns; ω² where strengths ignore pairs, and once more where they do not. Raises NoConvergence."""
    start = np.zeros(pairs.z.shape[1])
    learned = _mode(replace(pairs, variance=pair_variance or 0.0), variance, start)
    for _ in range(2 if pair_variance is None else 0):
        found = pairs.misfit(learned.optimum.point)
        if found == learned.pairs.variance:
            break
        learned = _mode(replace(pairs, variance=found), variance, learned.optimum.point)
    return learned


def _mode(pairs: AdjustedPairs, variance: float | None, start: Floats) -> LearnedPairs:
    tried = 1.0 if variance is None else variance
    for _ in range(MOST_ROUNDS):
        optimum = climb_with_effects(pairs.derivatives, start, pairs.columns, NormalPrior(tried), pairs.together)
        if variance is not None:
            return LearnedPairs(pairs, optimum, variance)
        best = _prior_variance(pairs, optimum.point, tried)
        if best == tried:
            return LearnedPairs(pairs, optimum, tried)
        tried, start = best, optimum.point
    raise NoConvergence("The variance of strengths did not settle; give prior_variance.")


def _prior_variance(pairs: AdjustedPairs, point: Floats, variance: float) -> float:
    """τ² on the grid of `pair_effects` under which θ is most probable, J its information once β is taken out."""
    m = pairs.rows.count
    information = pairs.derivatives(point)[1]
    corner, own = information[m:, :m], information[m:, m:] + np.diag(pairs.columns.penalty)
    strengths = information[:m, :m] - corner.T @ np.linalg.solve(own, corner)
    values, vectors = np.linalg.eigh(0.5 * (strengths + strengths.T))
    toward = vectors.T @ (strengths @ point[:m] + point[:m] / variance)
    whole = np.maximum(values, 0.0) + 1.0 / PRIOR_VARIANCES[:, None]
    marginal = 0.5 * (toward**2 / whole - np.log(whole) - np.log(PRIOR_VARIANCES)[:, None]).sum(axis=1)
    return float(PRIOR_VARIANCES[np.argmax(marginal)])
