"""Pairs with an effect of their own, logit P(i over j) = θ_i - θ_j + u_ij, u_ij ~ N(0, ω²), and the prior
variance of θ learned from the comparisons.

A pair met N times with k wins of i then varies by Npq·(1 + ω²·Npq) (Williams 1982, "Extra-binomial variation in
logistic linear models", Appl. Statist. 31, model III). Its quasi-likelihood (Wedderburn 1974) has the gradient
(k - Np)/(1 + ω²·Npq) along θ_i - θ_j and, because y·q² + (1 - y)·p² ≥ 0 with y = k/N, is concave. The working
weight of a pair is A = Npq/(1 + ω²·Npq): what a pair says about θ is bounded by 1/ω², however often it is met.

Matrices `wins` (m, m) hold half of each tie for either side, so that wins + winsᵀ is N.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, log

import numpy as np
from scipy.special import expit, log_expit

from .arrays import Floats
from .errors import BadParameter, ShapeMismatch
from .newton import Optimum, add_to_diagonal, climb
from .options import checked
from .pair_likelihood import derivatives as plain_derivatives
from .pair_likelihood import log_likelihood as plain_log_likelihood

# Standard deviations from .22 to 2.8 logits: from "all alike" to "decided by strength".
PRIOR_VARIANCES = np.geomspace(0.05, 8.0, 14)
# With fewer votes for each contestant the misfit of pairs cannot be told from chance.
VOTES_PER_CONTESTANT = 5.0


@dataclass(frozen=True, eq=False)
class EmpiricalBayes:
    """The prior variance under which the comparisons are most probable."""

    variance: float  # τ²
    strength: Floats  # (m,) posterior mode under it
    optimum: Optimum  # there; its inverse is the posterior covariance
    log_marginal: Floats  # (grid,) Laplace approximation at each variance tried


@checked
def empirical_bayes_variance(
    wins: Floats, *, pair_variance: float = 0.0, start: Floats | None = None, grid: Floats = PRIOR_VARIANCES
) -> EmpiricalBayes:
    """τ² of θ ~ N(0, τ²·I) that maximises ℓ(θ̂) - |θ̂|²/2τ² - m/2·ln τ² - ½·ln|H|, one posterior mode per value.

    wins (m, m) with half ties; `pair_variance` is ω²; `start` (m,) warms the first mode. A flat prior lets adaptive
    selection inflate gaps; this one mends it. Raises NoConvergence, ShapeMismatch, BadParameter.
    """
    _check(wins, pair_variance)
    strength = np.zeros(len(wins)) if start is None else start
    modes, marginals = [], []
    for variance in grid.tolist():
        mode = posterior_mode(wins, variance, pair_variance=pair_variance, start=strength)
        strength = mode.point
        fitted = log_likelihood(strength, wins, pair_variance) - 0.5 * float(strength @ strength) / variance
        half_log_determinant = float(np.log(mode.factor.diagonal()).sum())
        marginals.append(fitted - 0.5 * len(wins) * log(variance) - half_log_determinant)
        modes.append(mode)
    best = int(np.argmax(marginals))
    return EmpiricalBayes(float(grid[best]), modes[best].point, modes[best], np.array(marginals))


@checked
def overdispersion(strength: Floats, wins: Floats, ties: Floats | None = None) -> float:
    """ω² by moments: by how much more pairs miss the fitted strengths (m,) than chance would let them; 0 if not.

    Over the P pairs met twice or more, Q = Σ (k - Np)²/Npq is expected to be d = P - (m - 1) plus
    ω²·Σ Npq·(1 - (m - 1)/P); from Q - d one standard deviation of chance, √(2d + Σ (1/Npq - 6/N)₊), is taken off
    first. Below 5·m comparisons it is 0. `ties` (m, m), symmetric, takes T/4 off Npq: half wins vary less.
    Raises ShapeMismatch, BadParameter.
    """
    _check(wins, 0.0)
    row, column = np.nonzero(np.triu(wins + wins.T, 1))
    number = wins[row, column] + wins[column, row]
    chance = expit(strength[row] - strength[column])
    tied = np.zeros(len(row)) if ties is None else ties[row, column]
    left = wins[row, column] - number * chance
    return excess_variance(left, number * chance * (1.0 - chance), number, tied, len(wins))


def excess_variance(left: Floats, variance: Floats, number: Floats, ties: Floats, count: int) -> float:
    """ω² by moments, as in `overdispersion`, over pairs (P,) among `count` contestants.

    `left` is wins less what was expected, `variance` Npq, `number` the votes and `ties` those that were ties.
    """
    often = number >= 2.0
    freedom = int(often.sum()) - (count - 1)
    if freedom <= 0 or number.sum() < VOTES_PER_CONTESTANT * count:
        return 0.0
    left, number, ties, variance = left[often], number[often], ties[often], variance[often]
    variance = np.maximum(variance - 0.25 * ties, 0.1 * variance)
    misfit = float((left**2 / variance).sum()) - freedom
    noise = np.sqrt(2.0 * freedom + np.maximum(1.0 / variance - 6.0 / number, 0.0).sum())
    return max(0.0, misfit - float(noise)) / float(variance.sum() * (1.0 - (count - 1) / len(number)))


@dataclass(frozen=True, eq=False)
class PairWeights:
    """What the working model of a fit with pair effects holds, at given strengths."""

    weight: Floats  # (m, m) A, symmetric; 0 where a pair never met
    effect: Floats  # (m, m) û = ω²·(k - Np)/(1 + ω²·Npq), antisymmetric: the pair's own logit beyond θ_i - θ_j


@checked
def pair_weights(strength: Floats, wins: Floats, pair_variance: float) -> PairWeights:
    """Working weights and predicted pair effects at `strength` (m,). Raises ShapeMismatch, BadParameter."""
    _check(wins, pair_variance)
    total = wins + wins.T
    chance = expit(strength[:, None] - strength[None, :])
    information = total * chance * (1.0 - chance)
    shrink = 1.0 / (1.0 + pair_variance * information)
    return PairWeights(information * shrink, pair_variance * shrink * (wins - total * chance))


@checked
def posterior_mode(
    wins: Floats, variance: float, *, pair_variance: float = 0.0, start: Floats | None = None
) -> Optimum:
    """Strengths (m,) at the maximum under θ ~ N(0, variance·I), with the information there. Raises NoConvergence."""
    slopes = _derivatives(wins, pair_variance)

    def penalised(strength: Floats) -> tuple[Floats, Floats]:
        slope, information = slopes(strength)
        add_to_diagonal(information, 1.0 / variance)
        return slope - strength / variance, information

    return climb(penalised, np.zeros(len(wins)) if start is None else start)


def log_likelihood(strength: Floats, wins: Floats, pair_variance: float) -> float:
    """The quasi-likelihood of strengths (m,), up to a constant free of them; the plain one if ω² is zero.

    Per pair N·[y·ln p + (1 - y)·ln q - (y - ½)/r·artanh(t/r) - ½·ln(1 - t²/r²)], t = p - ½, r² = ¼ + 1/(N·ω²).
    """
    total = wins + wins.T
    if pair_variance == 0.0:
        return plain_log_likelihood(strength, wins.sum(axis=1), total)
    row, column = np.nonzero(np.triu(total, 1))
    number, gap = total[row, column], strength[row] - strength[column]
    share = wins[row, column] / number
    ratio = np.sqrt(0.25 + 1.0 / (number * pair_variance))
    inner = (expit(gap) - 0.5) / ratio
    plain = share * log_expit(gap) + (1.0 - share) * log_expit(-gap)
    lost = (share - 0.5) / ratio * np.arctanh(inner) + 0.5 * np.log1p(-inner * inner)
    return float(number @ (plain - lost))


def _derivatives(wins: Floats, pair_variance: float) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Gradient (m,) and information (m, m) of `log_likelihood`.

    Along θ_i - θ_j the information of a pair is Npq·(1 + ω²·N·(y·q² + (1 - y)·p²))/(1 + ω²·Npq)².
    """
    total, credit = wins + wins.T, wins.sum(axis=1)
    if pair_variance == 0.0:
        return lambda strength: plain_derivatives(strength, credit, total)

    def slopes(strength: Floats) -> tuple[Floats, Floats]:
        chance = expit(strength[:, None] - strength[None, :])
        against = chance.T
        spread = total * chance * against
        shrink = 1.0 / (1.0 + pair_variance * spread)
        slope = ((wins - total * chance) * shrink).sum(axis=1)
        information = -spread * shrink**2 * (1.0 + pair_variance * (wins * against**2 + wins.T * chance**2))
        add_to_diagonal(information, -information.sum(axis=1))
        return slope, information

    return slopes


def _check(wins: Floats, pair_variance: float) -> None:
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1]:
        raise ShapeMismatch(f"wins has shape {wins.shape}; give one row and column per contestant.")
    if wins.diagonal().any():
        raise ShapeMismatch("wins has entries on its diagonal; set comparisons of a contestant with itself to zero.")
    if not (isfinite(pair_variance) and pair_variance >= 0.0):
        raise BadParameter(f"pair_variance is {pair_variance}; give a variance, 0 for no pair effects.")
