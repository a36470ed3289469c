"""Bradley-Terry with pair effects, logit P(i over j) = θ_i - θ_j + u_ij, and a prior learned from the comparisons.

The arithmetic is in `pair_effects`. Where ω² is 0 this is Bradley-Terry with the empirical-Bayes `NormalPrior`. Where
it is not, no order of strengths explains all pairs (cycles, specialists), a pair met thousands of times says no more of
θ than 1/ω², and the order to publish is `expected_wins`, Borda's with each pair's own effect. σ(θ_i - θ_j) is the win
rate averaged over such effects, so θ spreads by about √(1 + .35·ω²) less than at u = 0.

Covariances: HESSIAN, and AUTO without labels, is the model's; SANDWICH takes pairs as clusters; the clustered ones add
the pairs' own variance, Σ (ωA)²·(e_i - e_j)(e_i - e_j)ᵀ, to the meat of what votes vary beyond the pair's effect.

With `adjust`, covariates and the common side join: the arithmetic is in `pair_columns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from .arrays import Floats
from .bradley_terry import PROVISIONAL_BELOW
from .clusters import Scores, Spread, apart, spread_of
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .covariates.adjustment import Adjustment, Effects
from .covariates.design import rows_of
from .errors import BadParameter
from .gauge import Gauge, gauged
from .newton import Optimum, add_to_diagonal
from .options import checked
from .pair_columns import AdjustedPairs, learn_pairs
from .pair_effects import (
    PairWeights,
    empirical_bayes_variance,
    log_likelihood,
    overdispersion,
    pair_weights,
    posterior_mode,
)
from .pair_table import PairTable, tabulate
from .priors import NormalPrior
from .strengths import Covariance, StrengthFit


@dataclass(frozen=True, eq=False, kw_only=True)
class PairEffectFit(StrengthFit):
    """A `StrengthFit` with the variance of pairs and what each pair shows beyond its strengths."""

    prior: NormalPrior  # its variance is τ²
    pair_variance: float  # ω²
    effect: Floats  # (M, M) û in logits, antisymmetric; 0 where a pair never met
    both_bad: BothBad
    effects: Effects | None = None  # of `adjust`; probabilities are at equal covariates and without a side

    def win_probability(self) -> Floats:
        """(M, M) P(i over j) with the pair's effect; NaN beside an absent contestant."""
        return np.asarray(expit(self.strength[:, None] - self.strength[None, :] + self.effect))

    def expected_wins(self) -> Floats:
        """(M,) mean of `win_probability` over the other contestants; NaN for an absent one."""
        chance = self.win_probability()
        np.fill_diagonal(chance, nan)
        present = self.evidence.present
        return np.where(present, np.nansum(chance, axis=1) / max(present.sum() - 1, 1), nan)


@dataclass(frozen=True, eq=False)
class _Learned:
    mode: Optimum
    variance: float
    pair_variance: float


@checked
def fit_pair_effects(
    data: Comparisons | Counts,
    *,
    prior_variance: float | None = None,
    pair_variance: float | None = None,
    adjust: Adjustment | None = None,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> PairEffectFit:
    """Strengths under θ ~ N(0, τ²), u ~ N(0, ω²); None learns `prior_variance` τ², `pair_variance` ω² or both.

    ω² is estimated where strengths ignore pairs, and once more where they do not. With `adjust`, the log-likelihood is
    that of the votes with each pair's effect û, where without it is the quasi-likelihood.
    Raises NoComparisons, BadParameter, NoConvergence, MissingLabels, TooFewClusters, UnknownIndex; with `adjust`
    BadCovariate, ShapeMismatch.
    """
    _check(prior_variance=prior_variance, pair_variance=pair_variance)
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    task = _Task(table, data, both_bad, prior_variance, pair_variance, covariance)
    found = task.plain() if adjust is None else task.adjusted(adjust)
    return PairEffectFit(
        **gauged(found.optimum.point, found.optimum.inverse, found.spread, table, gauge),
        evidence=table.evidence(provisional_below),
        floor=floor,
        log_likelihood=found.log_likelihood,
        iterations=found.optimum.steps,
        notes=found.spread.notes + table.groups.notes,
        prior=NormalPrior(found.variance),
        pair_variance=found.pair_variance,
        effect=table.embed_square(found.effect, 0.0),
        both_bad=both_bad,
        effects=found.effects,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """The mode in θ (m,) and what was fitted beside it."""

    optimum: Optimum
    spread: Spread
    variance: float  # τ²
    pair_variance: float  # ω²
    effect: Floats  # (m, m) û
    log_likelihood: float
    effects: Effects | None = None


@dataclass(frozen=True, eq=False)
class _Task:
    """What is fitted, and how."""

    table: PairTable
    data: Comparisons | Counts
    both_bad: BothBad
    variance: float | None
    pair_variance: float | None
    covariance: Covariance

    def plain(self) -> _Found:
        """From counts."""
        wins = self.table.wins + 0.5 * self.table.ties
        learned = _learn(wins, self.table, self.variance, self.pair_variance)
        point, omega = learned.mode.point, learned.pair_variance
        working = pair_weights(point, wins, omega)
        spread = _spread(self.table.labelled_rows(self.data, self.both_bad), self.covariance, learned, wins, working)
        return _Found(learned.mode, spread, learned.variance, omega, working.effect, log_likelihood(point, wins, omega))

    def adjusted(self, asked: Adjustment) -> _Found:
        """From rows."""
        rows = self.table.rows(rows_of(self.data) if isinstance(self.data, Counts) else self.data, self.both_bad)
        learned = learn_pairs(AdjustedPairs.of(rows, self.table.groups.weak, asked), self.variance, self.pair_variance)
        pairs, optimum, m = learned.pairs, learned.optimum, rows.count
        point, effect = optimum.point, np.zeros((m, m))
        effect[pairs.first, pairs.second] = pairs.effects(point)
        spread = _adjusted_spread(pairs, optimum, self.covariance)
        effects = pairs.columns.effects(point[m:], spread.covariance[m:, m:])
        likelihood = pairs.log_likelihood(point) - np.log(2.0) * self.table.own_total
        return _Found(optimum, spread, learned.variance, pairs.variance, effect - effect.T, likelihood, effects)


def _adjusted_spread(pairs: AdjustedPairs, optimum: Optimum, wanted: Covariance) -> Spread:
    """As `_spread`, of θ and β."""
    rows, point, inverse = pairs.rows, optimum.point, optimum.inverse
    labelled = None if rows.annotator is None and rows.prompt is None else rows
    if labelled is None and wanted is Covariance.AUTO:
        wanted = Covariance.HESSIAN
    spread = spread_of(
        labelled, wanted, inverse, lambda: apart(pairs.pair_scores(point), None), lambda _: pairs.scores(point)
    )
    if spread.clustering.kind in (Covariance.HESSIAN, Covariance.SANDWICH):
        return spread
    return Spread(spread.covariance + inverse @ pairs.pair_meat(point) @ inverse, spread.clustering, spread.notes)


def _check(**variances: float | None) -> None:
    """Raises BadParameter."""
    for name, value in variances.items():
        if value is not None and not (isfinite(value) and value >= 0.0):
            raise BadParameter(f"{name} is {value}; give a variance, or None to learn it.")
    if variances["prior_variance"] == 0.0:
        raise BadParameter("prior_variance is 0, so all strengths are alike; give a positive variance, or None.")


def _learn(wins: Floats, table: PairTable, variance: float | None, pair_variance: float | None) -> _Learned:
    ties = table.ties if table.ties.any() else None
    learned = _mode(wins, variance, pair_variance or 0.0, None)
    if pair_variance is not None:
        return learned
    for _ in range(2):
        found = overdispersion(learned.mode.point, wins, ties)
        if found == learned.pair_variance:
            break
        learned = _mode(wins, variance, found, learned.mode.point)
    return learned


def _mode(wins: Floats, variance: float | None, pair_variance: float, start: Floats | None) -> _Learned:
    if variance is not None:
        return _Learned(
            posterior_mode(wins, variance, pair_variance=pair_variance, start=start), variance, pair_variance
        )
    found = empirical_bayes_variance(wins, pair_variance=pair_variance, start=start)
    return _Learned(found.optimum, found.variance, pair_variance)


def _spread(
    rows: Comparisons | None, wanted: Covariance, learned: _Learned, wins: Floats, working: PairWeights
) -> Spread:
    point, inverse = learned.mode.point, learned.mode.inverse
    if rows is None and wanted is Covariance.AUTO:
        wanted = Covariance.HESSIAN
    total = wins + wins.T
    chance = expit(point[:, None] - point[None, :])
    shrink = 1.0 / (1.0 + learned.pair_variance * total * chance * chance.T)

    def meat() -> Floats:
        return _laplacian((shrink * (wins - total * chance)) ** 2)

    spread = spread_of(rows, wanted, inverse, meat, lambda some: _scores(some, point, working.effect, shrink))
    if spread.clustering.kind in (Covariance.HESSIAN, Covariance.SANDWICH):
        return spread
    pairs = inverse @ _laplacian(learned.pair_variance * working.weight**2) @ inverse
    return Spread(spread.covariance + pairs, spread.clustering, spread.notes)


def _laplacian(weights: Floats) -> Floats:
    """Σ_{i<j} w_ij·(e_i - e_j)(e_i - e_j)ᵀ from symmetric weights (m, m)."""
    laplacian = -weights
    add_to_diagonal(laplacian, weights.sum(axis=1))
    return laplacian


def _scores(rows: Comparisons, strength: Floats, effect: Floats, shrink: Floats) -> Scores:
    """(n, m) w·s·(y - p) under A, its opposite under B: p with the pair's effect, s = 1/(1 + ω²·Npq)."""
    a, b = rows.a, rows.b
    residual = (rows.outcome - expit(strength[a] - strength[b] + effect[a, b])) * shrink[a, b]
    if rows.weight is not None:
        residual = residual * rows.weight
    values = np.stack((residual, -residual), axis=1).ravel()
    starts = np.arange(0, len(values) + 1, 2)
    return csr_array((values, np.stack((a, b), axis=1).ravel(), starts), shape=(len(a), rows.count))
