"""Annotators of several tastes: each belongs to one of G groups, and each group has Bradley-Terry strengths of its own.

P(votes of annotator k) = Σ_g π_g·Π σ(±d_g), by EM with one responsibility per annotator and group (Zhao, Piech & Xia
2016, "Learning mixtures of Plackett-Luce models", ICML, for the model; here every vote of a person shares one group).
The likelihood has several maxima: EM runs from `restarts` draws of the responsibilities and the highest is kept, of
the runs that left nobody's group empty.
Groups are numbered by π, largest first. The strengths have the prior of the boards; a tie is half a vote each way.

Each group's board is `fit_bradley_terry` on the votes weighed by responsibility: its intervals take the groups as
known, so they are too short where `responsibility` is far from 0 and 1. How many groups there are is for
`choose_group_count` to say.

With `adjust` (covariates x of A minus B, and the side) the logit is d_g + x·β + s_k. Effects are common to all groups,
and leanings to a side each annotator's own: groups then differ in taste alone, where effects of their own would let
people who lean alike, or read alike fast, make up a group. What each run of EM reached is then without leanings, which
are fitted from the best.

The levels of two groups cannot be compared, only differences within each: the max-min board counts in regret.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, Ints, floats, lock
from ..bradley_terry import BOARD_PRIOR, BradleyTerryFit
from ..comparisons import Comparisons
from ..counts import BothBad
from ..covariates.adjustment import Adjustment, Effects
from ..covariates.side import Leanings
from ..errors import BadParameter, ShapeMismatch
from ..options import checked
from ..priors import Prior
from ..strengths import Covariance, Ratings
from .adjusted import Asked
from .adjusted_mixture import fit_adjusted_mixture
from .grouping import Boards, climb_once, group_board, highest, known
from .panel import Panel, panel_of

RESTARTS = 6


@dataclass(frozen=True, eq=False, kw_only=True)
class MixtureFit:
    """G groups, largest first."""

    share: Floats  # (G,) π, sum one
    boards: tuple[BradleyTerryFit, ...]  # one per group, every contestant counting the same in the gauge
    annotator: Ints  # (K,) labels, -1 where unknown
    responsibility: Floats  # (K, G) P(group | votes of k), rows sum to one
    log_likelihood: float  # of the votes, without the prior
    bic: float  # -2·log_likelihood + (G(M - 1) + G - 1 + k)·ln K, K annotators being the units, k effects
    restart_values: Floats  # (restarts,) log posterior at each end; one alone at the top, or NaN for a group that
    # emptied and a run given up for it, is a warning
    iterations: int
    effects: Effects | None = None  # of covariates and of the side, common to all groups
    leanings: Leanings | None = None  # under Side.ANNOTATOR

    def __post_init__(self) -> None:
        lock(self)

    @property
    def strength(self) -> Floats:
        """(G, M); NaN for contestants that a group never met."""
        return np.array([board.strength for board in self.boards])

    @property
    def group(self) -> Ints:
        """(K,) the likeliest group of each annotator."""
        return np.asarray(np.argmax(self.responsibility, axis=1), dtype=np.int64)

    def to_points(self, level: float = 0.95) -> tuple[Ratings, ...]:
        """(G,) each group's board on the public scale; points of two groups cannot be compared."""
        return tuple(board.to_points(level) for board in self.boards)


@dataclass(frozen=True, eq=False)
class MaxMinBoard:
    """Who does best by the group that likes it least; regret is a group's loss against its own favourite, in logits."""

    regret: Floats  # (G, M) >= 0
    worst: Floats  # (M,) the largest regret over groups; NaN for contestants that some group never met
    worst_group: Ints  # (M,) whose it is, -1 where NaN
    order: Ints  # (M,) contestants from the least worst regret to the largest, NaN last


@checked
def fit_mixture(
    comparisons: Comparisons,
    *,
    groups: int,
    rng: np.random.Generator,
    restarts: int = RESTARTS,
    prior: Prior = BOARD_PRIOR,
    adjust: Adjustment | None = None,
    covariance: Covariance = Covariance.AUTO,
    both_bad: BothBad = BothBad.LEAVE_OUT,
) -> MixtureFit:
    """Covariates are ignored without `adjust`.

    Raises EmptyGroup where people do not differ enough for so many groups; MissingLabels, NoComparisons, BadParameter,
    BadCovariate, ShapeMismatch, NoConvergence, TooFewClusters.
    """
    if groups < 1 or restarts < 1:
        raise BadParameter(f"groups is {groups} and restarts {restarts}; give at least 1 of each.")
    panel = panel_of(comparisons, both_bad)
    if groups > panel.annotator.count:
        raise BadParameter(f"{groups} groups of {panel.annotator.count} annotators; give fewer groups.")
    if adjust is None:
        found, values = _unadjusted(panel, groups, rng, restarts, prior, covariance)
    else:
        found, values = fit_adjusted_mixture(Asked.of(panel, adjust), groups, rng, restarts, prior, covariance)
    parameters = groups * (panel.rows.count - 1) + groups - 1 + (found.effects.value.size if found.effects else 0)
    return MixtureFit(
        share=found.end.share,
        boards=found.boards,
        annotator=panel.labels,
        responsibility=found.end.belongs,
        log_likelihood=found.end.log_likelihood,
        bic=parameters * float(np.log(panel.annotator.count)) - 2.0 * found.end.log_likelihood,
        restart_values=values,
        iterations=found.end.rounds,
        effects=found.effects,
        leanings=found.leanings,
    )


def _unadjusted(
    panel: Panel, groups: int, rng: np.random.Generator, restarts: int, prior: Prior, covariance: Covariance
) -> tuple[Boards, Floats]:
    """With the value (restarts,) that each run of EM reached."""
    ends = [climb_once(panel, groups, prior, rng) for _ in range(restarts)]
    top, values = highest(ends)
    best = ends[top].ordered()
    boards = tuple(group_board(panel, one, prior, covariance) for one in known(best.belongs).T)
    return Boards(best, boards), values


def max_min_board(strength: ArrayLike) -> MaxMinBoard:
    """From strengths (G, M) of each group, as `MixtureFit.strength`, or of any slices of the people.

    The max-min contestant of Chakraborty et al. 2024, "MaxMin-RLHF", ICML. Raises ShapeMismatch, BadParameter.
    """
    strength = floats("strength", strength)
    if strength.ndim != 2 or not strength.size:
        raise ShapeMismatch(f"strength has shape {strength.shape}; give one row per group, (G, M).")
    if np.isnan(strength).all(axis=1).any():
        raise BadParameter("strength has a group of NaN alone; leave out groups that met nobody.")
    regret = np.nanmax(strength, axis=1, keepdims=True) - strength
    unknown = np.isnan(regret).any(axis=0)
    worst = np.where(unknown, np.nan, regret.max(axis=0))
    at = np.where(unknown, -1, np.argmax(np.nan_to_num(regret), axis=0))
    return MaxMinBoard(regret, worst, at, np.argsort(worst, kind="stable"))
