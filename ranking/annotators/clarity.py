"""Scale-BT: how clearly each annotator sees, P(A | k) = σ(a_k·d) with d = θ_a - θ_b.

Annotator k sees differences a_k times as large as the geometric mean annotator: ln a_k ~ N(0, 0.7²), mean ln a = 0.
Newton's steps for θ and for ln a in turn. Nobody reverses here; `reliability` is for those who do.

With few votes each, the a_k are drawn towards one another and θ, fitted beside them, stretches with that: by 1.35, 1.24
and 1.09 at 100 annotators with 8, 20 and 100 votes each and a true spread of .7. Nominal 95 % intervals are about that
wider θ: of the true one they cover .79, .70 and .69, and .96 only from 1,000 votes each on (20 annotators). `stretch`
is what the votes say of it; strengths and errors divided by it spread 1.05, 1.02 and 1.02 as wide as the true ones and
cover .94, .92 and .95 (200 each). The order is the same.

With `adjust` (covariates x of A minus B, and the side) P(A | k) = σ(a_k·d + x·β + s_k): what is seen more or less
clearly is d alone, while β and the gain s_k of the side shown first are in plain logits. Where x goes along with the
strengths, β gives way to a stretch of θ.

A tie is half a vote for each side. Strengths have the prior of the boards, so any log with annotators has a maximum.
Standard errors of ln a are the inverse information's. Those of θ allow for a and are clustered as `covariance` asks,
through each row's influence, an array of rows x contestants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ..arrays import Floats, Ints
from ..bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW
from ..comparisons import Comparisons
from ..counts import BothBad
from ..covariates.adjustment import Adjustment, Effects
from ..covariates.side import Leanings
from ..errors import BadParameter, NoConvergence
from ..gauge import Gauge
from ..newton import add_to_diagonal, climb
from ..options import checked
from ..pair_likelihood import win_probability
from ..priors import Prior
from ..strengths import Covariance, StrengthFit
from .adjusted import Asked
from .panel import Panel, panel_of
from .scoring import OWN, D, Found, Problem, State, Terms, fit_adjusted
from .stretch import stretch_of

LOG_SCALE_SD = 0.7
EQUAL = 0.01  # ln a held nearer than that leaves nothing to stretch
TOLERANCE = 1e-8
MOST_ROUNDS = 1000
# Two rounds that come back to within this share of a step would not end in MOST_ROUNDS.
TO_AND_FRO = 0.01


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaleFit(StrengthFit):
    """A `StrengthFit` in the logits of the geometric mean annotator, with each annotator's clarity a_k."""

    annotator: Ints  # (K,) labels, -1 where unknown
    votes: Floats  # (K,) weighted rows of each
    log_scale: Floats  # (K,) ln a, mean zero
    log_scale_error: Floats  # (K,)
    prior: Prior
    both_bad: BothBad
    effects: Effects | None = None  # of covariates and of the side, in plain logits
    leanings: Leanings | None = None  # under Side.ANNOTATOR
    stretch: float  # how much too wide few votes each leave the strengths, by the likelihood with a integrated out

    @property
    def scale(self) -> Floats:
        """(K,) a"""
        return np.exp(self.log_scale)

    def win_probability(self) -> Floats:
        """(M, M) P(i over j) for the geometric mean annotator; NaN beside an absent contestant."""
        return win_probability(self.strength)


@checked
def fit_scale(
    comparisons: Comparisons,
    *,
    prior: Prior = BOARD_PRIOR,
    log_scale_sd: float = LOG_SCALE_SD,
    adjust: Adjustment | None = None,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> ScaleFit:
    """Strengths and each annotator's ln a. Covariates are ignored without `adjust`.

    Raises MissingLabels, NoComparisons, BadParameter, BadCovariate, ShapeMismatch, NoConvergence, TooFewClusters,
    UnknownIndex.
    """
    if not log_scale_sd > 0.0:
        raise BadParameter(f"log_scale_sd is {log_scale_sd}; give a positive number, or fit_bradley_terry for equals.")
    panel = panel_of(comparisons, both_bad)
    found = _found(panel, adjust, prior, log_scale_sd, covariance)
    return ScaleFit(
        **panel.gauged(found.strength, found.inference, gauge),
        evidence=panel.table.evidence(provisional_below),
        floor=floor,
        log_likelihood=panel.log_likelihood(found.p),
        iterations=found.rounds,
        notes=found.inference.spread.notes + panel.table.groups.notes,
        annotator=panel.labels,
        votes=panel.votes,
        log_scale=found.own,
        log_scale_error=found.inference.annotator_error,
        prior=prior,
        both_bad=both_bad,
        effects=found.effects,
        leanings=found.leanings,
        stretch=1.0 if log_scale_sd < EQUAL else stretch_of(panel, found.strength, found.own, found.p),
    )


def _found(panel: Panel, adjust: Adjustment | None, prior: Prior, sd: float, covariance: Covariance) -> Found:
    if adjust is None:
        return _unadjusted(panel, prior, sd, covariance)
    return fit_adjusted(panel, Clarity(sd), adjust, prior, covariance)


def _unadjusted(panel: Panel, prior: Prior, sd: float, covariance: Covariance) -> Found:
    strength, log_scale, rounds = _alternate(panel, prior, sd)
    problem = Problem(panel, Asked.nothing(panel), Clarity(sd), prior)
    at = State(strength, np.empty(0), log_scale, np.zeros_like(log_scale))
    return Found(strength, log_scale, problem.terms(at).p, rounds, problem.infer(at, covariance))


def _alternate(panel: Panel, prior: Prior, sd: float) -> tuple[Floats, Floats, int]:
    """Strengths (m,), ln a (K,) and the rounds it took, from the pooled fit.

    A round climbs to the best strengths for these scales, then takes one Newton step in the scales on mean ln a = 0.
    Where an annotator's votes curve twice as much as expected, that goes to and fro, and `scoring` takes over.
    """
    rows, code = panel.rows, panel.annotator.code
    strength = np.zeros(rows.count)
    log_scale = before = np.zeros(panel.annotator.count)
    for rounds in range(1, MOST_ROUNDS + 1):
        scale = np.exp(log_scale)[code]

        def derivatives(point: Floats, scale: Floats = scale) -> tuple[Floats, Floats]:
            p = expit(scale * panel.difference(point))
            slope = panel.by_contestant(panel.weight * scale * (rows.outcome - p)) + prior.gradient(point)
            information = panel.laplacian(panel.weight * scale**2 * p * (1.0 - p))
            add_to_diagonal(information, prior.curvature(point))
            return slope, information

        better = climb(derivatives, strength).point
        shown = scale * panel.difference(better)
        p = expit(shown)
        slope = panel.by_annotator(panel.weight * (rows.outcome - p) * shown) - log_scale / sd**2
        curvature = panel.by_annotator(panel.weight * p * (1.0 - p) * shown**2) + 1.0 / sd**2
        step = (slope - (slope / curvature).sum() / (1.0 / curvature).sum()) / curvature
        step *= min(1.0, 1.0 / float(np.abs(step).max() + 1e-300))
        moved = max(float(np.abs(better - strength).max()), float(np.abs(step).max()))
        returned = float(np.abs(log_scale + step - before).max()) < TO_AND_FRO * moved and moved > 1e-3
        strength, log_scale, before = better, log_scale + step, log_scale
        if moved < TOLERANCE:
            return strength, log_scale - log_scale.mean(), rounds
        if returned:
            level = State(strength, np.empty(0), log_scale - log_scale.mean(), np.zeros_like(log_scale))
            at, more = Problem(panel, Asked.nothing(panel), Clarity(sd), prior).climb(level)
            return at.strength, at.own, rounds + more
    raise NoConvergence(f"Scales still moved by {moved:.1e} after {MOST_ROUNDS} rounds; give a smaller log_scale_sd.")


@dataclass(frozen=True)
class Clarity:
    """ln a as the number of an annotator, for `scoring`."""

    sd: float

    def start(self, annotators: int) -> Floats:
        """All equal."""
        return np.zeros(annotators)

    def terms(self, d: Floats, x: Floats, side: Floats, own: Floats) -> Terms:
        """P(A) = σ(a·d + x + side)."""
        scale = np.exp(own)
        p = expit(scale * d + x + side)
        spread = p * (1.0 - p)
        return Terms(p, scale * spread, spread, spread, scale * d * spread)

    def bent(self, d: Floats, x: Floats, side: Floats, own: Floats) -> Floats:
        """(4, 4, n)"""
        scale = np.exp(own)
        p = expit(scale * d + x + side)
        spread, one = p * (1.0 - p), np.ones_like(p)
        slopes = np.array([scale, one, one, scale * d])
        found = spread * (1.0 - 2.0 * p) * slopes[:, None] * slopes[None, :]
        found[D, OWN] += spread * scale
        found[OWN, D] += spread * scale
        found[OWN, OWN] += spread * scale * d
        return np.asarray(found)

    def log_density(self, own: Floats) -> float:
        """Of N(0, sd²)."""
        return float(-0.5 * (own @ own) / self.sd**2)

    def slope(self, own: Floats) -> Floats:
        """(K,)"""
        return -own / self.sd**2

    def curvature(self, own: Floats) -> Floats:
        """(K,)"""
        return np.full_like(own, 1.0 / self.sd**2)

    def held(self, own: Floats) -> Floats:
        """The mean."""
        return np.full(len(own), 1.0 / len(own))

    def room(self, own: Floats, step: Floats) -> float:
        """All of it."""
        return 1.0

    def upright(self, at: State, covariates: int) -> State:
        """As it is."""
        return at
