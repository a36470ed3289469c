"""The Bradley-Terry likelihood of pair counts and its maximum.

P(i over j) = e_i / (e_i + e_j) with e = exp θ, so one exponential per contestant serves all M² pairs.
A tie counts half a win for each side; wins_i is then the number of wins plus half the ties, and
N_ij = N_ji the number of comparisons of the pair.
"""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .newton import Optimum, add_to_diagonal, climb
from .priors import Prior


def log_likelihood(strength: Floats, wins: Floats, total: Floats) -> float:
    """Σ_i wins_i·θ_i - Σ_{i<j} N_ij·ln(e_i + e_j); strength (m,), wins (m,), total = N (m, m)."""
    odds = np.exp(strength)
    return float(wins @ strength - 0.5 * np.vdot(total, np.log(np.add.outer(odds, odds))))


def derivatives(strength: Floats, wins: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Gradient (m,) and information (m, m).

    The gradient is wins_i - Σ_j N_ij·p_ij, wins beyond what the strengths expect; the information, minus the
    Hessian, is the Laplacian with weights N_ij·p_ij·p_ji, whose rows sum to zero.
    """
    odds = np.exp(strength)
    both = np.add.outer(odds, odds)
    weight = total / both
    # Products with a vector sum rows several times faster than `sum(axis=1)` does.
    slope = wins - odds * (weight @ np.ones_like(odds))
    weight /= both
    rows = odds * (weight @ odds)
    weight *= odds
    weight *= -odds[:, None]
    add_to_diagonal(weight, rows)
    return slope, weight


def gradient(strength: Floats, wins: Floats, total: Floats) -> Floats:
    """(m,) of `derivatives`, at less than half its cost."""
    odds = np.exp(strength)
    weight = total / np.add.outer(odds, odds)
    return np.asarray(wins - odds * (weight @ np.ones_like(odds)))


def win_probability(strength: Floats) -> Floats:
    """(m, m) P(i over j)."""
    odds = np.exp(strength)
    return np.asarray(odds[:, None] / np.add.outer(odds, odds))


def maximise(
    wins: Floats, total: Floats, prior: Prior | None, start: Floats | None, *, point_alone: bool = False
) -> Optimum:
    """From `start` (m,), else from the logit of each win rate. With `point_alone` the optimum's factor is that of a
    point nearby, and no covariance may be made of it.

    Without a prior the comparisons must be strongly connected; the optimum then has Σ θ = 0 and its
    information carries a constant in every entry, which no difference of strengths sees.
    Raises NoConvergence.
    """

    def penalised(strength: Floats) -> tuple[Floats, Floats]:
        slope, information = derivatives(strength, wins, total)
        if prior is None:
            information += information.trace() / information.size
        else:
            slope += prior.gradient(strength)
            add_to_diagonal(information, prior.curvature(strength))
        return slope, information

    def slope_alone(strength: Floats) -> Floats:
        slope = gradient(strength, wins, total)
        return slope if prior is None else slope + prior.gradient(strength)

    first = win_rate_logits(wins, total) if start is None else start - start.mean()
    return climb(penalised, first, slope_alone=slope_alone if point_alone else None)


def win_rate_logits(wins: Floats, total: Floats) -> Floats:
    """Each contestant's own logit, half a win added to either side: exact if all met average opponents."""
    battles = total.sum(axis=1)
    logits = np.log((wins + 0.5) / (battles - wins + 0.5))
    return np.asarray(logits - logits.mean())
