"""How many circular terms a log of votes bears, judged on votes that the fit has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints
from .bradley_terry import BOARD_PRIOR
from .clusters import number
from .comparisons import Comparisons
from .counts import BothBad
from .cyclic import RIDGE, STARTS, fit_cyclic
from .errors import BadParameter, NoComparisons
from .priors import Prior
from .strengths import Covariance


@dataclass(frozen=True, eq=False)
class RankChoice:
    """What votes that a fit has not seen say of each rank 0..most."""

    rank: int  # the smallest whose loss is within one standard error of the least
    loss: Floats  # (most + 1,) minus the mean log-likelihood of a held-out vote, in nats
    gain: Floats  # (most + 1,) loss of rank 0 less the own
    gain_error: Floats  # (most + 1,) standard error of the gain, whole prompts together where labelled

    @property
    def significant(self) -> bool:
        """Circles predict unseen votes better than any strengths do, by two standard errors."""
        return bool(self.rank > 0 and self.gain[self.rank] > 2.0 * self.gain_error[self.rank])


def choose_cyclic_rank(
    comparisons: Comparisons,
    *,
    rng: np.random.Generator,
    most: int = 2,
    folds: int = 5,
    ridge: float = RIDGE,
    prior: Prior = BOARD_PRIOR,
    starts: int = STARTS,
    both_bad: BothBad = BothBad.LEAVE_OUT,
) -> RankChoice:
    """Cross-validated over rows, or over whole prompts where they are labelled.

    Raises BadParameter, NoComparisons, NoConvergence.
    """
    kept = comparisons.a != comparisons.b
    if both_bad is BothBad.LEAVE_OUT and comparisons.both_bad is not None:
        kept &= ~comparisons.both_bad
    rows = comparisons.select(kept)
    if not len(rows):
        raise NoComparisons("No comparison of two contestants is left; collect votes.")
    unit = np.arange(len(rows)) if rows.prompt is None else number(rows.prompt).code
    if not (most >= 1 and 2 <= folds <= unit.max(initial=0) + 1):
        raise BadParameter(
            f"most {most}, folds {folds}; give most >= 1, and folds from 2 to the number of prompts or rows."
        )
    fold = rng.permutation(unit.max() + 1)[unit] % folds
    losses = np.empty((len(rows), most + 1))
    for one in range(folds):
        seen, unseen = rows.select(fold != one), rows.select(fold == one)
        for rank in range(most + 1):
            fit = fit_cyclic(
                seen,
                rank=rank,
                rng=rng,
                ridge=ridge,
                prior=prior,
                starts=starts,
                covariance=Covariance.HESSIAN,
                both_bad=both_bad,
            )
            losses[fold == one, rank] = _held_out(unseen, fit.probability)
    return _chosen(losses, np.ones(len(rows)) if rows.weight is None else rows.weight, unit)


def _held_out(rows: Comparisons, probability: Floats) -> Floats:
    """(n,) minus log-likelihood; even odds for a contestant that the fit has not seen."""
    p = np.nan_to_num(probability[rows.a, rows.b], nan=0.5)
    return np.asarray(-(rows.outcome * np.log(p) + (1.0 - rows.outcome) * np.log1p(-p)))


def _chosen(losses: Floats, weight: Floats, unit: Ints) -> RankChoice:
    """From the loss (n, most + 1) of every row under every rank."""
    total = float(weight.sum())
    mean = weight @ losses / total

    def error(first: int, second: int) -> float:
        difference = losses[:, first] - losses[:, second]
        off = np.bincount(unit, weights=weight * (difference - weight @ difference / total))
        return float(np.sqrt((off**2).sum())) / total

    ranks = range(losses.shape[1])
    least = int(np.argmin(mean))
    rank = next(one for one in ranks if mean[one] <= mean[least] + error(one, least))
    return RankChoice(rank, mean, mean[0] - mean, np.array([error(0, one) for one in ranks]))
