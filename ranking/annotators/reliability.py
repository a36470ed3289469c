"""Crowd-BT: which annotators tell the truth, P(A | k) = η_k·σ(d) + (1 - η_k)·σ(-d) with d = θ_a - θ_b.

η_k is ½ for one who guesses and near 0 for one who reverses; η_k ~ Beta(6, 1.5). EM over who told the truth (Chen,
Bennett, Collins-Thompson & Horvitz 2013, "Pairwise ranking aggregation in a crowdsourced setting", WSDM, section
3.2, here with a batch fit). Turning all η to 1 - η and θ to -θ says the same of the votes: mean η > ½ decides.

To first order the votes tell (2η_k - 1)·θ alone: the order of θ rests on the data, its spread also on the prior of η,
and closely matched contestants leave it to the prior.

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
from ..errors import BadParameter, NoConvergence
from ..gauge import Gauge
from ..newton import add_to_diagonal
from ..pair_likelihood import maximise, win_probability
from ..priors import Prior
from ..strengths import Covariance, StrengthFit, two_sided_quantile
from .panel import Information, Panel, panel_of

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

    def adversarial(self, level: float = 0.95) -> Bools:
        """(K,) whose whole interval for η lies below ½: they mostly say the opposite of the others."""
        return np.asarray(self.truthful + two_sided_quantile(level) * self.truthful_error < 0.5)

    def win_probability(self) -> Floats:
        """(M, M) P(i over j) for one who tells the truth; NaN beside an absent contestant."""
        return win_probability(self.strength)


def fit_crowd(
    comparisons: Comparisons,
    *,
    prior: Prior = BOARD_PRIOR,
    beta: tuple[float, float] = BETA,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> CrowdFit:
    """Strengths and each annotator's η; both `beta` parameters above 1.

    Raises MissingLabels, NoComparisons, BadParameter, NoConvergence, TooFewClusters, UnknownIndex.
    """
    if not min(beta) > 1.0:
        raise BadParameter(f"beta is {beta}; give two numbers above 1, or η runs to 0 or 1.")
    panel = panel_of(comparisons, both_bad)
    strength, eta, rounds = _expect_and_maximise(panel, prior, beta)
    if eta.mean() < 0.5:
        strength, eta = -strength, 1.0 - eta
    p, by_d, by_eta = _crowd_terms(panel, strength, eta)
    residual = (panel.rows.outcome - p) / (p * (1.0 - p))
    inference = crowd_information(panel, strength, eta, prior, beta).infer(
        panel, residual * by_d, residual * by_eta, covariance
    )
    return CrowdFit(
        **panel.gauged(strength, inference, gauge),
        evidence=panel.table.evidence(provisional_below),
        floor=floor,
        log_likelihood=panel.log_likelihood(p),
        iterations=rounds,
        notes=inference.spread.notes + panel.table.groups.notes,
        annotator=panel.labels,
        votes=panel.votes,
        truthful=eta,
        truthful_error=inference.annotator_error,
        prior=prior,
        both_bad=both_bad,
    )


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


def _crowd_terms(panel: Panel, strength: Floats, eta: Floats) -> tuple[Floats, Floats, Floats]:
    """(n,) P(A), and its derivatives in d and in η."""
    chance, told = expit(panel.difference(strength)), eta[panel.annotator.code]
    slope = 2.0 * told - 1.0
    return (1.0 - told) + slope * chance, slope * chance * (1.0 - chance), 2.0 * chance - 1.0


def crowd_gradient(
    panel: Panel, strength: Floats, eta: Floats, prior: Prior, beta: tuple[float, float]
) -> tuple[Floats, Floats]:
    """(m,) and (K,) of the log posterior."""
    p, by_d, by_eta = _crowd_terms(panel, strength, eta)
    residual = panel.weight * (panel.rows.outcome - p) / (p * (1.0 - p))
    own = panel.by_annotator(residual * by_eta) + (beta[0] - 1.0) / eta - (beta[1] - 1.0) / (1.0 - eta)
    return panel.by_contestant(residual * by_d) + prior.gradient(strength), np.asarray(own)


def crowd_log_posterior(panel: Panel, strength: Floats, eta: Floats, prior: Prior, beta: tuple[float, float]) -> float:
    """Up to a constant."""
    p = _crowd_terms(panel, strength, eta)[0]
    believed = float(((beta[0] - 1.0) * np.log(eta) + (beta[1] - 1.0) * np.log1p(-eta)).sum())
    return panel.log_likelihood(p) + prior.log_density(strength) + believed


def crowd_information(
    panel: Panel, strength: Floats, eta: Floats, prior: Prior, beta: tuple[float, float]
) -> Information:
    """Expected over the votes, plus the priors' curvature."""
    p, by_d, by_eta = _crowd_terms(panel, strength, eta)
    weight = panel.weight / (p * (1.0 - p))
    square = panel.laplacian(weight * by_d**2)
    add_to_diagonal(square, prior.curvature(strength))
    believed = (beta[0] - 1.0) / eta**2 + (beta[1] - 1.0) / (1.0 - eta) ** 2
    own = panel.by_annotator(weight * by_eta**2) + believed
    return Information(square, panel.crossed(weight * by_d * by_eta), np.asarray(own))
