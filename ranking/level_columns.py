"""Covariates of single responses and the side, as columns of utilities that have a level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .answers import Answers
from .arrays import Bools, Floats
from .comparisons import Comparisons
from .covariates.adjustment import Adjustment, Columns, refuse_nothing
from .covariates.design import Side, names_of
from .errors import BadCovariate, ShapeMismatch


@dataclass(frozen=True, eq=False)
class LevelColumns:
    """Columns of the responses, and the means (c,) of the covariates that were taken off them."""

    columns: Columns
    mean: Floats


def level_columns(
    comparisons: Comparisons, answers: Answers | None, given: ArrayLike | None, asked: Adjustment, kept: Bools
) -> LevelColumns:
    """Of 2n + q responses: the sides of the `kept` (n,) comparisons in turn, then the answers.

    A constant would be everyone's level, so means are taken off; the side is ½ for A, -½ for B and 0 for a response
    alone, so that swapping sides changes its sign and no level. Raises BadCovariate, ShapeMismatch.
    """
    shown = _of_responses(comparisons, answers, given, kept)
    weight = np.repeat(_weight(comparisons)[kept], 2)
    if answers is not None:
        weight = np.append(weight, _weight(answers))
    found = centred_columns(shown, weight, asked)
    refuse_nothing(found.columns.names + ("side",) * (asked.side is not Side.NONE))
    if asked.side is Side.NONE:
        return found
    half, own = np.zeros(len(shown)), found.columns
    half[: 2 * int(kept.sum())] = np.tile([0.5, -0.5], int(kept.sum()))
    values, scale, penalty = np.column_stack((own.values, half)), np.append(own.scale, 1.0), np.append(own.penalty, 0.0)
    return LevelColumns(Columns((*own.names, "side"), values, scale, penalty), found.mean)


def centred_columns(shown: Floats, weight: Floats, asked: Adjustment) -> LevelColumns:
    """Covariates (r, c) of responses of `weight` (r,), per standard deviation. Raises BadCovariate, ShapeMismatch."""
    names = names_of(shown.shape[1], asked.names)
    mean = weight @ shown / weight.sum()
    centred = shown - mean
    scale = np.sqrt(weight @ centred**2 / weight.sum())
    for name, value, moving in zip(names, shown[0].tolist(), (shown != shown[0]).any(axis=0), strict=True):
        if not moving:
            raise BadCovariate(f"{name} is {value:g} in every response: that is everyone's level; leave it out.")
    return LevelColumns(Columns(names, centred / scale, scale, np.full(len(mean), asked.penalty)), mean)


def _of_responses(comparisons: Comparisons, answers: Answers | None, given: ArrayLike | None, kept: Bools) -> Floats:
    """(2n + q, c)"""
    said = None if answers is None else answers.covariates
    if given is None and comparisons.covariates is not None:
        raise BadCovariate(
            "The comparisons carry differences, which say nothing of a level: give `covariates` (n, 2, k), of A's "
            "response and of B's, or drop the column."
        )
    if given is None and said is not None and kept.any():
        raise BadCovariate("Only the answers carry covariates; give `covariates` (n, 2, k) of the comparisons too.")
    width = 0 if said is None else said.shape[1]
    pairs = np.zeros((len(kept), 2, width)) if given is None else np.asarray(given)
    if pairs.ndim != 3 or pairs.shape[:2] != (len(kept), 2):
        raise ShapeMismatch(
            f"covariates has shape {pairs.shape}; give one row per comparison, of A's response and of B's: "
            f"({len(kept)}, 2, k)."
        )
    if pairs.dtype.kind not in "iufb" or not np.isfinite(pairs).all():
        raise BadCovariate("covariates hold NaN, infinite values or no numbers; leave those rows out or fill them in.")
    flat = pairs[kept].astype(np.float64).reshape(2 * int(kept.sum()), pairs.shape[2])
    if answers is None:
        return flat
    if said is None and pairs.shape[2]:
        raise BadCovariate("The comparisons carry covariates and the answers none; give Answers(covariates=...).")
    alone = np.zeros((len(answers), 0)) if said is None else said
    if alone.shape[1] != pairs.shape[2]:
        raise ShapeMismatch(
            f"Comparisons have {pairs.shape[2]} covariates and answers {alone.shape[1]}; give the same."
        )
    return np.concatenate((flat, alone))


def _weight(rows: Comparisons | Answers) -> Floats:
    return np.ones(len(rows)) if rows.weight is None else rows.weight
