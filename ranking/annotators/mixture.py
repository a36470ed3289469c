"""Annotators of several tastes: each belongs to one of G groups, and each group has Bradley-Terry strengths of its own.

P(votes of annotator k) = Σ_g π_g·Π σ(±d_g), by EM with one responsibility per annotator and group (Zhao, Piech & Xia
2016, "Learning mixtures of Plackett-Luce models", ICML, for the model; here every vote of a person shares one group).
The likelihood has several maxima: EM runs from `restarts` draws of the responsibilities and the highest is kept.
Groups are numbered by π, largest first. The strengths have the prior of the boards; a tie is half a vote each way.

Each group's board is `fit_bradley_terry` on the votes weighed by responsibility: its intervals take the groups as
known, so they are too short where `responsibility` is far from 0 and 1. How many groups there are is for
`choose_group_count` to say. The levels of two groups cannot be compared, only differences within each: the max-min
board counts in regret.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

from ..arrays import Floats, Ints
from ..bradley_terry import BOARD_PRIOR, BradleyTerryFit, fit_bradley_terry
from ..comparisons import Comparisons
from ..counts import BothBad
from ..errors import BadParameter, NoConvergence, ShapeMismatch
from ..gauge import Gauge
from ..pair_likelihood import maximise
from ..priors import Prior
from ..strengths import Covariance
from .panel import Panel, panel_of

RESTARTS = 6
TOLERANCE = 1e-7
MOST_ROUNDS = 2000
# Responsibilities below this are left out of a group's board, so that its clusters are those who belong to it.
NEGLIGIBLE = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True)
class MixtureFit:
    """G groups, largest first."""

    share: Floats  # (G,) π, sum one
    boards: tuple[BradleyTerryFit, ...]  # one per group, every contestant counting the same in the gauge
    annotator: Ints  # (K,) labels, -1 where unknown
    responsibility: Floats  # (K, G) P(group | votes of k), rows sum to one
    log_likelihood: float  # of the votes, without the prior
    bic: float  # -2·log_likelihood + (G(M - 1) + G - 1)·ln K, K annotators being the independent units
    restart_values: Floats  # (restarts,) log posterior at the end of each; one value alone at the top is a warning
    iterations: int

    @property
    def strength(self) -> Floats:
        """(G, M); NaN for contestants that a group never met."""
        return np.array([board.strength for board in self.boards])

    @property
    def group(self) -> Ints:
        """(K,) the likeliest group of each annotator."""
        return np.asarray(np.argmax(self.responsibility, axis=1), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class MaxMinBoard:
    """Who does best by the group that likes it least; regret is a group's loss against its own favourite, in logits."""

    regret: Floats  # (G, M) >= 0
    worst: Floats  # (M,) the largest regret over groups; NaN for contestants that some group never met
    worst_group: Ints  # (M,) whose it is, -1 where NaN
    order: Ints  # (M,) contestants from the least worst regret to the largest, NaN last


def fit_mixture(
    comparisons: Comparisons,
    *,
    groups: int,
    rng: np.random.Generator,
    restarts: int = RESTARTS,
    prior: Prior = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    both_bad: BothBad = BothBad.LEAVE_OUT,
) -> MixtureFit:
    """Raises MissingLabels, NoComparisons, BadParameter, NoConvergence, TooFewClusters."""
    if groups < 1 or restarts < 1:
        raise BadParameter(f"groups is {groups} and restarts {restarts}; give at least 1 of each.")
    panel = panel_of(comparisons, both_bad)
    if groups > panel.annotator.count:
        raise BadParameter(f"{groups} groups of {panel.annotator.count} annotators; give fewer groups.")
    ends = [climb_once(panel, groups, prior, rng) for _ in range(restarts)]
    best = max(ends, key=lambda end: end.value)
    first = np.argsort(-best.share, kind="stable")
    belongs = np.where(best.belongs < NEGLIGIBLE, 0.0, best.belongs)[:, first]
    parameters = groups * (panel.rows.count - 1) + groups - 1
    return MixtureFit(
        share=best.share[first],
        boards=tuple(_board(panel, column, prior, covariance) for column in belongs.T),
        annotator=panel.labels,
        responsibility=best.belongs[:, first],
        log_likelihood=best.log_likelihood,
        bic=parameters * float(np.log(panel.annotator.count)) - 2.0 * best.log_likelihood,
        restart_values=np.array([end.value for end in ends]),
        iterations=best.rounds,
    )


@dataclass(frozen=True, eq=False)
class End:
    """Where one run of EM came to rest."""

    strength: Floats  # (G, m)
    share: Floats  # (G,)
    belongs: Floats  # (K, G)
    log_likelihood: float
    value: float  # log posterior
    rounds: int


def climb_once(panel: Panel, groups: int, prior: Prior, rng: np.random.Generator, tolerance: float = TOLERANCE) -> End:
    """EM from random responsibilities until a round gains less than `tolerance` nats. Raises NoConvergence."""
    belongs = rng.dirichlet(np.ones(groups), panel.annotator.count)
    strength = np.zeros((groups, panel.rows.count))
    reached = -np.inf
    for rounds in range(1, MOST_ROUNDS + 1):
        share = belongs.mean(axis=0)
        strength = np.array([_strengths(panel, belongs[:, g], prior, strength[g]) for g in range(groups)])
        belongs, log_likelihood = respond(panel, strength, share)
        value = log_likelihood + sum(prior.log_density(one) for one in strength)
        if value - reached < tolerance:
            return End(strength, share, belongs, log_likelihood, value, rounds)
        reached = value
    raise NoConvergence(f"EM still rose after {MOST_ROUNDS} rounds; give fewer groups or a stronger prior.")


def respond(panel: Panel, strength: Floats, share: Floats) -> tuple[Floats, float]:
    """(K, G) P(group | votes of each annotator), and the log-likelihood; strength (G, m), share (G,)."""
    y = panel.rows.outcome
    shown = [panel.difference(one) for one in strength]
    each = [-(y * np.logaddexp(0.0, -d) + (1.0 - y) * np.logaddexp(0.0, d)) for d in shown]
    with np.errstate(divide="ignore"):  # a group that lost everyone has share 0 and is left at that
        joint = np.log(share) + np.stack([panel.by_annotator(panel.weight * one) for one in each], axis=1)
    return np.exp(log_softmax(joint, axis=1)), float(np.logaddexp.reduce(joint, axis=1).sum())


def _strengths(panel: Panel, belongs: Floats, prior: Prior, start: Floats) -> Floats:
    """(m,) of one group; belongs (K,)."""
    rows, weight = panel.rows, panel.weight * belongs[panel.annotator.code]
    count = rows.count
    credit = np.bincount(rows.a, weights=weight * rows.outcome, minlength=count)
    credit += np.bincount(rows.b, weights=weight * (1.0 - rows.outcome), minlength=count)
    cells = np.bincount(rows.a * count + rows.b, weights=weight, minlength=count * count).reshape(count, count)
    return maximise(credit.astype(np.float64), (cells + cells.T).astype(np.float64), prior, start).point


def _board(panel: Panel, belongs: Floats, prior: Prior, covariance: Covariance) -> BradleyTerryFit:
    """Over all contestants, in their own numbers."""
    index = panel.table.index
    rows = replace(
        panel.rows,
        a=index[panel.rows.a],
        b=index[panel.rows.b],
        count=len(panel.table.present),
        weight=panel.weight * belongs[panel.annotator.code],
    )
    return fit_bradley_terry(rows, prior=prior, covariance=covariance, gauge=Gauge.EQUAL, both_bad=BothBad.HALF)


def max_min_board(strength: Floats) -> MaxMinBoard:
    """From strengths (G, M) of each group, as `MixtureFit.strength`, or of any slices of the people.

    The max-min contestant of Chakraborty et al. 2024, "MaxMin-RLHF", ICML. Raises ShapeMismatch.
    """
    if strength.ndim != 2 or not strength.size:
        raise ShapeMismatch(f"strength has shape {strength.shape}; give one row per group, (G, M).")
    regret = np.nanmax(strength, axis=1, keepdims=True) - strength
    unknown = np.isnan(regret).any(axis=0)
    worst = np.where(unknown, np.nan, regret.max(axis=0))
    at = np.where(unknown, -1, np.argmax(np.nan_to_num(regret), axis=0))
    return MaxMinBoard(regret, worst, at, np.argsort(worst, kind="stable"))
