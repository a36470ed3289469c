"""How many votes, drawn from every pair alike, would have settled as much of a board's order as these did."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from scipy.special import expit, ndtr

from ..arrays import Floats
from .state import SelectionState

# Beyond so many times the votes given the answer would say more of the prior than of the votes.
AT_MOST_TIMES = 100.0
STEPS = 60


@dataclass(frozen=True)
class VotesSaved:
    """`uniform` is NaN where it cannot be said, `why` then says it in one word: "few", "pairs" or "beyond"."""

    votes: float
    uniform: float
    misordered: float  # expected number of pairs whose fitted order is wrong
    why: str = ""


def votes_saved(state: SelectionState) -> VotesSaved:
    """The n at which n votes, n/|pairs| on each, leave as many misordered pairs to be expected as the votes given.

    Expected misordered pairs E = Σ_{i<j} Φ(-|Δ_ij|/√v_ij), v = xᵀΣx, x = e_i - e_j. Under the votes given
    Σ = H⁻¹ with H = Lap(N∘w) + I/τ², w = p(1 - p) at the posterior mode; under uniform ones N_ij = n/|pairs|, and n is
    found by bisection. Both are by the strengths as fitted, so this is an estimate that supposes Bradley-Terry: where
    pairs have effects of their own (ω² > 0) it is not given ("pairs"); nor without any vote, with fewer than two
    contestants ("few"), or where even 100 times the votes would not do ("beyond"). The information matrix of a design:
    Chaloner & Verdinelli 1995, "Bayesian experimental design", Statist. Sci. 10, section 4.
    """
    votes = float(state.wins.sum())
    if len(state) < 2 or votes <= 0.0:
        return VotesSaved(votes, nan, nan, "few")
    gap = np.abs(state.mean[:, None] - state.mean[None, :])
    chance = expit(gap)
    weight = chance * (1.0 - chance)
    np.fill_diagonal(weight, 0.0)
    ridge = 1.0 / state.prior_variance
    given = _misordered(gap, *_modes(state.met * weight), times=1.0, ridge=ridge)
    if state.pair_variance > 0.0:
        return VotesSaved(votes, nan, given, "pairs")
    pairs = len(state) * (len(state) - 1) / 2.0
    modes = _modes(weight / pairs)
    low, high = 0.0, votes * AT_MOST_TIMES
    if _misordered(gap, *modes, times=high, ridge=ridge) > given:
        return VotesSaved(votes, nan, given, "beyond")
    for _ in range(STEPS):
        middle = (low + high) / 2.0
        too_few = _misordered(gap, *modes, times=middle, ridge=ridge) > given
        low, high = (middle, high) if too_few else (low, middle)
    return VotesSaved(votes, high, given)


def _modes(information: Floats) -> tuple[Floats, Floats]:
    """Of the Laplacian of (M, M) information: its eigenvalues and vectors."""
    laplacian = np.diag(information.sum(axis=1)) - information
    values, vectors = np.linalg.eigh(laplacian)
    return np.maximum(values, 0.0), vectors


def _misordered(gap: Floats, values: Floats, vectors: Floats, *, times: float, ridge: float) -> float:
    covariance = (vectors / (times * values + ridge)) @ vectors.T
    own = np.diag(covariance)
    variance = own[:, None] + own[None, :] - 2.0 * covariance
    above = np.triu_indices(len(gap), 1)
    return float(ndtr(-gap[above] / np.sqrt(np.maximum(variance[above], 1e-300))).sum())
