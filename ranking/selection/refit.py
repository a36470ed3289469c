"""Warm refits of N(μ, Σ) from counts, of one board or of many at once: leading axes `...` are boards.

The same model as `pair_effects` (an oracle in the tests), with a prior mean and variance for each contestant so that
a new version may start from the old one, and fast enough to run between votes: the prior variance is found in one
eigendecomposition and Newton starts from the last mode.

`wins` (..., m, m) holds half of each tie for either side; N = wins + winsᵀ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ..arrays import Bools, Floats
from ..errors import NoConvergence
from ..pair_effects import PRIOR_VARIANCES, VOTES_PER_CONTESTANT

STEP_TOLERANCE = 1e-6  # logits; Newton's next step would be below 1e-10
MOST_STEPS = 60


@dataclass(frozen=True, eq=False)
class Posterior:
    """θ ~ N(mean, covariance) given the votes."""

    mean: Floats  # (..., m)
    covariance: Floats  # (..., m, m)


@dataclass(frozen=True, eq=False)
class Pull:
    """What answers in other formats than plain votes say of each pair at some strengths; one board."""

    slope: Floats  # (m, m) antisymmetric, of their log-likelihood by θ_i - θ_j
    information: Floats  # (m, m) symmetric
    number: Floats  # (m, m) symmetric

    def among(self, kept: Bools) -> Pull:
        """Of some contestants, marked (m,), alone."""
        inside = np.ix_(kept, kept)
        return Pull(self.slope[inside], self.information[inside], self.number[inside])


def fit_posterior(
    wins: Floats,
    prior_mean: Floats,
    prior_variance: Floats,
    pair_variance: Floats | float,
    start: Floats,
    pull: Callable[[Floats], Pull | None] | None = None,
) -> Posterior:
    """Mode of the quasi-likelihood plus θ_i ~ N(m_i, s_i²), and Σ = (Lap(A) + diag(1/s²))⁻¹ there.

    prior_mean, prior_variance, start (..., m); pair_variance ω² (...). A = I/(1 + ω²·I), I = Npq and the information
    of `pull` at the point. A step that spreads over more than a logit is damped as in `newton.climb`. Raises
    NoConvergence.
    """
    total = wins + wins.swapaxes(-1, -2)
    precision, point = 1.0 / prior_variance, start
    for _ in range(MOST_STEPS):
        slope, information = _score(wins, total, point, pair_variance, pull and pull(point))
        slope = slope - (point - prior_mean) * precision
        _add_to_diagonals(information, precision)
        step = np.linalg.solve(information, slope[..., None])[..., 0]
        spread = np.maximum(step.max(axis=-1), 0.0) - np.minimum(step.min(axis=-1), 0.0)
        damping = np.where(spread > 1.0, np.log1p(spread) / np.maximum(spread, 1.0), 1.0)
        point = point + damping[..., None] * step
        if spread.max() <= STEP_TOLERANCE:
            return Posterior(point, np.asarray(np.linalg.inv(information), dtype=np.float64))
    raise NoConvergence(f"No posterior mode after {MOST_STEPS} steps; check the counts for extreme values.")


def choose_prior_variance(
    wins: Floats, point: Floats, pair_variance: Floats | float, pull: Pull | None = None
) -> Floats:
    """(...) τ² of θ ~ N(0, τ²·I), the most probable of `PRIOR_VARIANCES`, with the likelihood quadratic at `point`.

    With L the information there, b = gradient + L·point and (λ, V) = eig(L), the Laplace log marginal is
    ½·Σ (Vᵀb)²/(λ + 1/τ²) - m/2·ln τ² - ½·Σ ln(λ + 1/τ²).
    """
    slope, information = _score(wins, wins + wins.swapaxes(-1, -2), point, pair_variance, pull)
    natural = slope + (information @ point[..., None])[..., 0]
    values, vectors = np.linalg.eigh(information)
    projected = (vectors.swapaxes(-1, -2) @ natural[..., None])[..., 0]
    shrunk = np.maximum(values, 0.0)[..., None, :] + 1.0 / PRIOR_VARIANCES[:, None]
    marginal = 0.5 * (projected[..., None, :] ** 2 / shrunk - np.log(shrunk)).sum(axis=-1)
    marginal -= 0.5 * point.shape[-1] * np.log(PRIOR_VARIANCES)
    return np.asarray(PRIOR_VARIANCES[marginal.argmax(axis=-1)])


def misfit(wins: Floats, point: Floats, covariance: Floats | None = None, pull: Pull | None = None) -> Floats:
    """(...) ω² by moments at `point` (..., m): `pair_effects.overdispersion`, for many boards at once.

    Other answers add what they miss by, the slope of their log-likelihood, and their information to those of votes.

    With the posterior `covariance` (..., m, m) the degrees of freedom are Σ (1 - Npq·v), v the variance of a pair's
    difference, in place of pairs - (m - 1). Where θ follows the prior that is what Q is expected to be, tr(I - hat
    matrix); a shrunken fit of few votes each misses more than a free one, which is not misfit of the model.
    """
    m = point.shape[-1]
    row, column = np.triu_indices(m, 1)
    won = wins[..., row, column]
    number = won + wins[..., column, row]
    chance = expit(point[..., row] - point[..., column])
    missed, known_by = won - number * chance, number * chance * (1.0 - chance)
    if pull is not None:
        missed, known_by = missed + pull.slope[row, column], known_by + pull.information[row, column]
        number = number + pull.number[row, column]
    often = number >= 2.0
    information = np.where(often, known_by, np.inf)
    pairs = often.sum(axis=-1)
    known = _fitted_directions(covariance, np.where(often, information, 0.0), m - 1)
    freedom = pairs - known
    excess = np.where(often, missed**2 / information, 0.0).sum(axis=-1) - freedom
    lumpy = np.where(often, np.maximum(1.0 / information - 6.0 / np.maximum(number, 1.0), 0.0), 0.0).sum(axis=-1)
    whole = np.where(often, information, 0.0).sum(axis=-1) * (1.0 - known / np.maximum(pairs, 1))
    enough = (pairs > m - 1) & (number.sum(axis=-1) >= VOTES_PER_CONTESTANT * m)
    noise = np.sqrt(np.maximum(2.0 * freedom, 0.0) + lumpy)
    return np.asarray(np.where(enough, np.maximum(excess - noise, 0.0) / np.where(enough, whole, 1.0), 0.0))


def _fitted_directions(covariance: Floats | None, information: Floats, free: int) -> Floats:
    """(...) how many directions of the pairs (..., p) the fit has taken up: all m - 1, or by the posterior fewer."""
    if covariance is None:
        return np.full(information.shape[:-1], float(free))
    row, column = np.triu_indices(covariance.shape[-1], 1)
    own = np.diagonal(covariance, axis1=-2, axis2=-1)
    variance = own[..., row] + own[..., column] - 2.0 * covariance[..., row, column]
    return np.minimum((information * variance).sum(axis=-1), free)


def _score(
    wins: Floats, total: Floats, point: Floats, pair_variance: Floats | float, pull: Pull | None
) -> tuple[Floats, Floats]:
    """Gradient (..., m) and expected information (..., m, m) of the votes at `point`."""
    chance = expit(point[..., :, None] - point[..., None, :])
    information = total * chance * (1.0 - chance)
    residual = wins - total * chance
    if pull is not None:
        information, residual = information + pull.information, residual + pull.slope
    if np.any(pair_variance):
        shrink = 1.0 / (1.0 + np.asarray(pair_variance)[..., None, None] * information)
        information, residual = information * shrink, residual * shrink
    own = information.sum(axis=-1)
    information = -information
    _add_to_diagonals(information, own)
    return residual.sum(axis=-1), information


def _add_to_diagonals(matrices: Floats, values: Floats) -> None:
    """In place; `matrices` (..., m, m), `values` (..., m)."""
    index = np.arange(matrices.shape[-1])
    matrices[..., index, index] += values
