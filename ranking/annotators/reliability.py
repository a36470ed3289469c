"""Crowd-BT: which annotators tell the truth, P(A | k) = η_k·σ(d) + (1 - η_k)·σ(-d) with d = θ_a - θ_b.

η_k is ½ for one who guesses and near 0 for one who reverses; η_k ~ Beta(6, 1.5). EM over who told the truth (Chen,
Bennett, Collins-Thompson & Horvitz 2013, "Pairwise ranking aggregation in a crowdsourced setting", WSDM, section
3.2, here with a batch fit). Turning all η to 1 - η and θ to -θ says the same of the votes: mean η > ½ decides.

To first order the votes tell (2η_k - 1)·θ alone: the order of θ rests on the data, its spread also on the prior of η,
and closely matched contestants leave it to the prior. Where the prior is wrong, intervals are about that prior's θ:
with 100 annotators who all tell the truth, where it expects η = .8, θ spreads 1.9, 1.6 and 1.5 times as wide as the
true one at 8, 30 and 100 votes each and nominal 95 % intervals cover .81, .41 and .28. With η as the prior has it they
cover .94, .92 and .94 (spread .93, .91, 1.01). Use it where some do not tell the truth, or give `beta`; the order
holds either way.

With `adjust` (covariates x of A minus B, and the side) P(A | k) = η_k·σ(s_k + u) + (1 - η_k)·σ(s_k - u), u = d + x·β.
What is judged is u, style and latency with it, and one who reverses reverses all of that. The gain s_k of the side
shown first is outside η_k: it moves the hand whatever its owner thinks, and one who guesses has it too. β has the
spread of θ, with what that rests on; β in units of θ is the data's.

A tie is half a vote for each side. Strengths have the prior of the boards, so any log with annotators has a maximum.
Standard errors of η are the inverse information's. Those of θ allow for η and are clustered as `covariance` asks,
through each row's influence, an array of rows x contestants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ..arrays import Bools, Floats, Ints
from ..bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW
from ..comparisons import Comparisons
from ..counts import BothBad
from ..covariates.adjustment import Adjustment, Effects
from ..covariates.side import Leanings
from ..errors import BadParameter, NoConvergence
from ..gauge import Gauge
from ..options import checked
from ..pair_likelihood import maximise, win_probability
from ..priors import Prior
from ..strengths import Covariance, StrengthFit, two_sided_quantile
from .adjusted import Asked
from .panel import Panel, panel_of
from .scoring import Found, Problem, State, Terms, fit_adjusted

BETA = (6.0, 1.5)
# Each round of EM shortens what is left by a constant factor, seldom above 0.95.
TOLERANCE = 1e-8
MOST_ROUNDS = 5000


@dataclass(frozen=True, eq=False, kw_only=True)
class CrowdFit(StrengthFit):
    """A `StrengthFit` for annotators who tell the truth with probability η_k and the opposite otherwise."""

    annotator: Ints  # (K,) labels, -1 where unknown
    votes: Floats  # (K,) weighted rows of each
    truthful: Floats  # (K,) η
    truthful_error: Floats  # (K,)
    prior: Prior
    both_bad: BothBad
    effects: Effects | None = None  # of covariates, on u, and of the side
    leanings: Leanings | None = None  # under Side.ANNOTATOR

    def adversarial(self, level: float = 0.95) -> Bools:
        """(K,) whose whole interval for η lies below ½: they mostly say the opposite of the others."""
        return np.asarray(self.truthful + two_sided_quantile(level) * self.truthful_error < 0.5)

    def win_probability(self) -> Floats:
        """(M, M) P(i over j) for one who tells the truth; NaN beside an absent contestant."""
        return win_probability(self.strength)


@checked
def fit_crowd(
    comparisons: Comparisons,
    *,
    prior: Prior = BOARD_PRIOR,
    beta: tuple[float, float] = BETA,
    adjust: Adjustment | None = None,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> CrowdFit:
    """Strengths and each annotator's η; both `beta` parameters above 1. Covariates are ignored without `adjust`.

    Raises MissingLabels, NoComparisons, BadParameter, BadCovariate, ShapeMismatch, NoConvergence, TooFewClusters,
    UnknownIndex.
    """
    if not min(beta) > 1.0:
        raise BadParameter(f"beta is {beta}; give two numbers above 1, or η runs to 0 or 1.")
    panel = panel_of(comparisons, both_bad)
    if adjust is None:
        found = _unadjusted(panel, prior, beta, covariance)
    else:
        found = fit_adjusted(panel, Truth(beta), adjust, prior, covariance)
    return CrowdFit(
        **panel.gauged(found.strength, found.inference, gauge),
        evidence=panel.table.evidence(provisional_below),
        floor=floor,
        log_likelihood=panel.log_likelihood(found.p),
        iterations=found.rounds,
        notes=found.inference.spread.notes + panel.table.groups.notes,
        annotator=panel.labels,
        votes=panel.votes,
        truthful=found.own,
        truthful_error=found.inference.annotator_error,
        prior=prior,
        both_bad=both_bad,
        effects=found.effects,
        leanings=found.leanings,
    )


def _unadjusted(panel: Panel, prior: Prior, beta: tuple[float, float], covariance: Covariance) -> Found:
    strength, eta, rounds = _expect_and_maximise(panel, prior, beta)
    if eta.mean() < 0.5:
        strength, eta = -strength, 1.0 - eta
    problem = Problem(panel, Asked.nothing(panel), Truth(beta), prior)
    at = State(strength, np.empty(0), eta, np.zeros_like(eta))
    return Found(strength, eta, problem.terms(at).p, rounds, problem.infer(at, covariance))


def _expect_and_maximise(panel: Panel, prior: Prior, beta: tuple[float, float]) -> tuple[Floats, Floats, int]:
    """Strengths (m,), η (K,) and the rounds it took, from η at the prior's mean."""
    rows, code = panel.rows, panel.annotator.code
    strength = np.zeros(rows.count)
    eta = np.full(panel.annotator.count, beta[0] / sum(beta))
    for rounds in range(1, MOST_ROUNDS + 1):
        chance = expit(panel.difference(strength))
        told = eta[code]
        p = (1.0 - told) + (2.0 * told - 1.0) * chance
        # The probability that a vote for A, and one for B, was the truth.
        if_a, if_b = told * chance / p, told * (1.0 - chance) / (1.0 - p)
        for_a = rows.outcome * if_a + (1.0 - rows.outcome) * (1.0 - if_b)
        truth = rows.outcome * if_a + (1.0 - rows.outcome) * if_b
        credit = panel.credit(for_a)
        better = maximise(credit, panel.table.total, prior, strength).point
        surer = (panel.by_annotator(panel.weight * truth) + beta[0] - 1.0) / (panel.votes + sum(beta) - 2.0)
        moved = max(float(np.abs(better - strength).max()), float(np.abs(surer - eta).max()))
        strength, eta = better, surer
        if moved < TOLERANCE:
            return strength, eta, rounds
    raise NoConvergence(f"EM still moved by {moved:.1e} after {MOST_ROUNDS} rounds; give a stronger prior.")


@dataclass(frozen=True)
class Truth:
    """η as the number of an annotator, for `scoring`."""

    beta: tuple[float, float]

    def start(self, annotators: int) -> Floats:
        """The prior's mean."""
        return np.full(annotators, self.beta[0] / sum(self.beta))

    def terms(self, d: Floats, x: Floats, side: Floats, own: Floats) -> Terms:
        """P(A) = η·σ(side + u) + (1 - η)·σ(side - u), u = d + x."""
        told, turned = expit(side + d + x), expit(side - d - x)
        honest, reversed_ = own * told * (1.0 - told), (1.0 - own) * turned * (1.0 - turned)
        by_u = honest - reversed_
        return Terms(own * told + (1.0 - own) * turned, by_u, by_u, honest + reversed_, told - turned)

    def bent(self, d: Floats, x: Floats, side: Floats, own: Floats) -> Floats:
        """(4, 4, n)"""
        told, turned = expit(side + d + x), expit(side - d - x)
        rise, fall = told * (1.0 - told), turned * (1.0 - turned)
        honest, reversed_ = own * rise * (1.0 - 2.0 * told), (1.0 - own) * fall * (1.0 - 2.0 * turned)
        same, other = honest + reversed_, honest - reversed_
        by_u, by_side = rise + fall, rise - fall
        moved = [same, same, other, by_u]
        return np.array([moved, moved, [other, other, same, by_side], [by_u, by_u, by_side, np.zeros_like(own)]])

    def log_density(self, own: Floats) -> float:
        """Of Beta."""
        return float(((self.beta[0] - 1.0) * np.log(own) + (self.beta[1] - 1.0) * np.log1p(-own)).sum())

    def slope(self, own: Floats) -> Floats:
        """(K,)"""
        return np.asarray((self.beta[0] - 1.0) / own - (self.beta[1] - 1.0) / (1.0 - own))

    def curvature(self, own: Floats) -> Floats:
        """(K,)"""
        return np.asarray((self.beta[0] - 1.0) / own**2 + (self.beta[1] - 1.0) / (1.0 - own) ** 2)

    def held(self, own: Floats) -> None:
        """Nothing."""

    def room(self, own: Floats, step: Floats) -> float:
        """No η goes more than nine tenths of its way to 0 or 1."""
        left = np.where(step > 0.0, 1.0 - own, own)
        return float(min(1.0, 0.9 / float((np.abs(step) / left).max() + 1e-300)))

    def upright(self, at: State, covariates: int) -> State:
        """Mean η above ½; the side is as it was."""
        if at.own.mean() >= 0.5:
            return at
        effect = at.effect.copy()
        effect[:covariates] *= -1.0
        return State(-at.strength, effect, 1.0 - at.own, at.leaning)
