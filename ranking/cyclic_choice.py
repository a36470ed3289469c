"""How many circular terms a log of votes bears, judged on votes that the fit has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logit

from .arrays import Floats
from .bradley_terry import BOARD_PRIOR
from .clusters import number
from .comparisons import Comparisons
from .counts import BothBad
from .covariates.adjustment import Adjustment, Effects
from .covariates.design import Side
from .cyclic import RIDGE, STARTS, CyclicFit, fit_cyclic
from .errors import BadParameter, NoComparisons
from .held_out import HeldOut, compare_losses
from .options import checked
from .priors import Prior
from .strengths import Covariance


@checked
def choose_cyclic_rank(
    comparisons: Comparisons,
    *,
    rng: np.random.Generator,
    most: int = 2,
    folds: int = 5,
    ridge: float = RIDGE,
    prior: Prior = BOARD_PRIOR,
    starts: int = STARTS,
    adjust: Adjustment | None = None,
    both_bad: BothBad = BothBad.LEAVE_OUT,
) -> HeldOut:
    """What unseen votes say of the ranks 0 to `most`: `chosen` is the rank, `significant` that circles were found.

    Cross-validated over rows, or over whole prompts where they are labelled, which are then also the clusters.
    With `adjust`, every rank takes covariates, the side and leanings to it out, and predicts unseen votes with them:
    what they explain is no circle. Covariates are ignored without it.

    Raises BadParameter, NoComparisons, NoConvergence; with `adjust` BadCovariate, ShapeMismatch, for any fold.
    """
    rows = _between_two(comparisons, both_bad)
    unit = number(np.full(len(rows), -1) if rows.prompt is None else rows.prompt)
    if not (most >= 1 and 2 <= folds <= unit.count):
        fix = "give most >= 1, and folds from 2 to the number of prompts or rows."
        raise BadParameter(f"most {most}, folds {folds}; {fix}")
    fold = rng.permutation(unit.count)[unit.code] % folds
    losses = np.empty((len(rows), most + 1))
    penalties: dict[str, Any] = {"ridge": ridge, "prior": prior, "adjust": adjust}
    settings = penalties | {"starts": starts, "both_bad": both_bad, "covariance": Covariance.HESSIAN}
    for one in range(folds):
        seen, unseen = rows.select(fold != one), rows.select(fold == one)
        for rank in range(most + 1):
            fit = fit_cyclic(seen, rank=rank, rng=rng, **settings)
            losses[fold == one, rank] = _held_out(unseen, fit, adjust)
    return compare_losses(losses, np.ones(len(rows)) if rows.weight is None else rows.weight, unit)


def _between_two(comparisons: Comparisons, both_bad: BothBad) -> Comparisons:
    """The rows that say something of an order. Raises NoComparisons."""
    kept = comparisons.a != comparisons.b
    if both_bad is BothBad.LEAVE_OUT and comparisons.both_bad is not None:
        kept &= ~comparisons.both_bad
    if not kept.any():
        raise NoComparisons("No comparison of two contestants is left; collect votes.")
    return comparisons.select(kept)


def _held_out(rows: Comparisons, fit: CyclicFit, asked: Adjustment | None) -> Floats:
    """(n,) minus log-likelihood; even odds, effects aside, for a contestant that the fit has not seen."""
    odds = np.nan_to_num(logit(fit.probability[rows.a, rows.b]))
    if asked is not None and fit.effects is not None:
        odds = odds + _beside(rows, fit.effects, asked.side)
    if rows.annotator is not None and fit.leanings is not None:
        odds = odds + fit.leanings.of(rows.annotator)
    return np.asarray(np.logaddexp(0.0, odds) - rows.outcome * odds)


def _beside(rows: Comparisons, effects: Effects, side: Side) -> Floats:
    """(n,) x·β and the side."""
    x = np.empty((len(rows), 0)) if rows.covariates is None else rows.covariates
    columns = x if side is Side.NONE else np.column_stack((x, np.ones(len(rows))))
    return np.asarray(columns @ effects.per_unit)
