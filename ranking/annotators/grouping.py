"""EM for groups of annotators, each with strengths of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

from ..arrays import Floats
from ..bradley_terry import BradleyTerryFit, fit_bradley_terry
from ..counts import BothBad
from ..covariates.adjustment import Effects
from ..covariates.side import Leanings
from ..errors import EmptyGroup, NoConvergence
from ..gauge import Gauge
from ..pair_likelihood import maximise
from ..priors import Prior
from ..strengths import Covariance
from .panel import Panel

TOLERANCE = 1e-7
MOST_ROUNDS = 2000
# Responsibilities below this are left out of a group's board, so that its clusters are those who belong to it.
NEGLIGIBLE = 1e-6


@dataclass(frozen=True, eq=False)
class End:
    """Where one run of EM came to rest."""

    strength: Floats  # (G, m)
    share: Floats  # (G,)
    belongs: Floats  # (K, G)
    log_likelihood: float
    value: float  # log posterior
    rounds: int

    def ordered(self) -> End:
        """Largest group first."""
        first = np.argsort(-self.share, kind="stable")
        return replace(self, strength=self.strength[first], share=self.share[first], belongs=self.belongs[:, first])


@dataclass(frozen=True, eq=False)
class Boards:
    """What became of a run, largest group first."""

    end: End
    boards: tuple[BradleyTerryFit, ...]
    effects: Effects | None = None
    leanings: Leanings | None = None


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


def highest(ends: Sequence[End]) -> tuple[int, Floats]:
    """The run with the highest log posterior, and that of each (restarts,): NaN where a group emptied.

    Such a run is given up: its empty group has no board. Raises EmptyGroup if all are.
    """
    values = np.array([np.nan if emptied(end) else end.value for end in ends])
    if np.isnan(values).all():
        raise EmptyGroup(f"A group emptied in every one of {len(ends)} restarts; give fewer groups.")
    return int(np.nanargmax(values)), values


def emptied(end: End) -> bool:
    """Whether nobody belongs to some group."""
    return bool((known(end.belongs).sum(axis=0) == 0.0).any())


def respond(panel: Panel, strength: Floats, share: Floats, beside: Floats | None = None) -> tuple[Floats, float]:
    """(K, G) P(group | votes of each annotator), and the log-likelihood.

    strength (G, m), share (G,), beside (n,) logits besides the strengths.
    """
    y = panel.rows.outcome
    shown = [panel.difference(one) for one in strength]
    if beside is not None:
        shown = [one + beside for one in shown]
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


def known(belongs: Floats) -> Floats:
    """(K, G) without what is negligible."""
    return np.where(belongs < NEGLIGIBLE, 0.0, belongs)


def group_board(panel: Panel, belongs: Floats, prior: Prior, covariance: Covariance) -> BradleyTerryFit:
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
