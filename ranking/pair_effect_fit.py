"""Bradley-Terry with pair effects, logit P(i over j) = θ_i - θ_j + u_ij, and a prior learned from the comparisons.

The arithmetic is in `pair_effects`. Where ω² is 0 this is Bradley-Terry with the empirical-Bayes `NormalPrior`. Where
it is not, no order of strengths explains all pairs (cycles, specialists), a pair met thousands of times says no more of
θ than 1/ω², and the order to publish is `expected_wins`, Borda's with each pair's own effect. σ(θ_i - θ_j) is the win
rate averaged over such effects, so θ spreads by about √(1 + .35·ω²) less than at u = 0.

Covariances: HESSIAN, and AUTO without labels, is the model's; SANDWICH takes pairs as clusters; the clustered ones add
the pairs' own variance, Σ (ωA)²·(e_i - e_j)(e_i - e_j)ᵀ, to the meat of what votes vary beyond the pair's effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from .arrays import Floats
from .bradley_terry import PROVISIONAL_BELOW
from .clusters import Scores, Spread, spread_of
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .errors import BadParameter
from .gauge import Gauge, gauge_weights, in_gauge
from .newton import Optimum, add_to_diagonal
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


def fit_pair_effects(
    data: Comparisons | Counts,
    *,
    prior_variance: float | None = None,
    pair_variance: float | None = None,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> PairEffectFit:
    """Strengths under θ ~ N(0, τ²), u ~ N(0, ω²); None learns `prior_variance` τ², `pair_variance` ω² or both.

    ω² is estimated where strengths ignore pairs, and once more where they do not.
    Raises NoComparisons, BadParameter, NoConvergence, MissingLabels, TooFewClusters, UnknownIndex.
    """
    _check(prior_variance=prior_variance, pair_variance=pair_variance)
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    wins = table.wins + 0.5 * table.ties
    learned = _learn(wins, table, prior_variance, pair_variance)
    point, weights = learned.mode.point, gauge_weights(gauge, table)
    working = pair_weights(point, wins, learned.pair_variance)
    spread = _spread(table.labelled_rows(data, both_bad), covariance, learned, wins, working)
    return PairEffectFit(
        strength=table.embed(point - weights @ point, nan),
        covariance=table.embed_square(in_gauge(spread.covariance, weights)),
        hessian_covariance=table.embed_square(in_gauge(learned.mode.inverse, weights)),
        gauge=table.embed(weights, 0.0),
        evidence=table.evidence(provisional_below),
        clustering=spread.clustering,
        floor=floor,
        log_likelihood=log_likelihood(point, wins, learned.pair_variance),
        iterations=learned.mode.steps,
        notes=spread.notes + table.groups.notes,
        prior=NormalPrior(learned.variance),
        pair_variance=learned.pair_variance,
        effect=table.embed_square(working.effect, 0.0),
        both_bad=both_bad,
    )


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
