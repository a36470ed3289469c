"""How much one more vote on a pair is worth, from the posterior of its difference; everything in logs.

All arguments broadcast: `difference` Δ and `variance` v of θ_i - θ_j, `met` the votes given or outstanding on the
pair, `pair_variance` ω² of the pairs' own effects (`pair_effects`).
"""

from __future__ import annotations

from math import pi

import numpy as np
from scipy.special import expit

from ..arrays import Floats
from .formats import VOTES, AnswerFormat

Number = Floats | float

# ω² at which the interest in a pair's order has halved in the exponent of `order_aware`.
MISFIT_HALVES = 0.1


def expected_chance(difference: Number, variance: Number) -> Floats:
    """P(i over j) averaged over N(Δ, v): σ(Δ/√(1 + πv/8)) (MacKay 1992, "The evidence framework", eq. 3.4)."""
    return np.asarray(expit(difference / np.sqrt(1.0 + (pi / 8.0) * np.asarray(variance))))


def interest_in_order(pair_variance: Number) -> Floats:
    """κ = 1/(1 + ω²/0.1): the less Bradley-Terry explains a board, the less its order says where to look."""
    return np.asarray(1.0 / (1.0 + pair_variance / MISFIT_HALVES))


def d_optimal(difference: Number, variance: Number, answer: AnswerFormat = VOTES) -> Floats:
    """ln(w·v), w the answer's information at the mean: by how much one answer lowers ln|Σ|, to first order.

    Weighted D-optimal design for logistic differences (Chaloner & Verdinelli 1995, "Bayesian experimental design",
    Statist. Sci. 10, section 4), as used for battles by "Fewer Battles" rules.
    """
    return np.asarray(np.log(answer.information(difference)) + np.log(variance))


def order_aware(
    difference: Number,
    variance: Number,
    met: Number,
    pair_variance: Number,
    kappa: Number,
    answer: AnswerFormat = VOTES,
) -> Floats:
    """ln a, a = w/(1 + ω²·N·w)²·v·φ(|Δ|/√v)^κ, up to φ's constant; of a vote, w = p(1 - p) at `expected_chance`.

    The one-vote knowledge gradient of "this pair is misordered" is nearly zero unless a single vote can flip the
    sign; φ(z)·v·w is its smooth surrogate over several votes. κ = 0 asks about pairs although their order is clear.
    """
    information = answer.expected_information(difference, variance)
    score = np.log(information * variance)
    score -= 2.0 * np.log1p(pair_variance * met * information)
    score -= 0.5 * kappa * np.square(difference) / variance
    return np.asarray(score)


def arena_rule(wins: Number, met: Number) -> Floats:
    """√(s/n) - √(s/(n + 1)): how much one vote narrows the interval of the pair's own win rate.

    Chiang et al. 2024, "Chatbot Arena", ICML, section 5, equation 9, with s the variance of one vote, at the rate
    (k + 1)/(n + 2) so that two equal votes are not taken for certainty. +inf for a pair that never met: the rule
    wants each of those once before any other.
    """
    number = np.asarray(met, dtype=np.float64)
    rate = (wins + 1.0) / (number + 2.0)
    with np.errstate(divide="ignore"):
        gain = np.sqrt(rate * (1.0 - rate)) * (1.0 / np.sqrt(number) - 1.0 / np.sqrt(number + 1.0))
    return np.asarray(gain)
