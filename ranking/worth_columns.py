"""Covariates and leanings to a side in the least squares of `worth`: w/c_k = U_a - U_b + x·β + side + l_k + e.

A penalty of 1 weighs as much as one average answer. l_k ~ N(0, ρ²) is each annotator's own leaning to the side shown
first, ρ² as in `annotators.joint`, from residuals of which all answers have one variance. Every draw of cluster weights
refits worths, effects and leanings, at the ρ² of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

import numpy as np

from .amounts import AmountRows
from .annotators.joint import between_variance
from .arrays import Floats
from .covariates.adjustment import Adjustment, Columns, Effects, refuse_nothing
from .covariates.design import Side, names_of, refuse_collinear
from .covariates.side import Leanings
from .errors import BadCovariate, MissingLabels
from .worth_draws import Design, Drawn, Solved

MOST_ROUNDS = 200
SETTLED = 1e-10
LEAST_SHRINKAGE = 1e-9  # of an annotator's own weight: amounts without noise would leave the common side to chance


@dataclass(frozen=True, eq=False)
class WorthBeside:
    """A design with what is fitted beside worths."""

    design: Design
    leanings: Leanings | None

    def effects(self, point: Solved, drawn: Drawn) -> Effects | None:
        """The covariates and then the side, if it is separable; the covariance is that of the draws."""
        columns = self.design.columns
        if columns is None:
            return None
        sides = int(self.design.side_is_separable)
        first = self.design.count
        order = np.append(np.arange(columns.count) + first + 1, np.repeat(first, sides))
        return Effects(
            names=columns.names + ("side",) * sides,
            value=np.append(point.effect[0], point.side[:sides]),
            covariance=drawn.covariance[np.ix_(order, order)],
            scale=np.append(columns.scale, np.ones(sides)),
        )


def beside_worth(design: Design, asked: Adjustment | None) -> WorthBeside:
    """Raises BadCovariate, ShapeMismatch, MissingLabels."""
    if asked is None:
        return WorthBeside(design, None)
    columns = _columns(design.rows, asked)
    refuse_nothing(columns.names + ("side",) * (asked.side is not Side.NONE))
    design = replace(design, columns=columns)
    free = replace(design, columns=replace(columns, penalty=np.zeros(columns.count)))
    names = ("side",) * design.side_is_separable + columns.names
    refuse_collinear(free.information(), names, np.zeros((design.count,) * 2))
    return _leaning(design) if asked.side is Side.ANNOTATOR else WorthBeside(design, None)


def _columns(rows: AmountRows, asked: Adjustment) -> Columns:
    names = names_of(rows.covariates.shape[1], asked.names)
    for name, moves in zip(names, np.any(rows.covariates, axis=0).tolist(), strict=True):
        if not moves:
            raise BadCovariate(f"{name} is 0 in every row, so nothing shows its effect; leave it out.")
    scale = np.sqrt((rows.covariates**2).mean(axis=0))
    return Columns(names, rows.covariates / scale, scale, np.full(len(names), asked.penalty))


def _leaning(design: Design) -> WorthBeside:
    """ρ² and leanings in turn, until they settle."""
    rows, weight = design.rows, design.weights()

    def by(values: Floats) -> Floats:
        return np.asarray(np.bincount(rows.annotator.code, values, rows.annotator.count), dtype=np.float64)

    mass, squared = by(weight * rows.side**2), by((weight * rows.side) ** 2)
    labelled = rows.who >= 0
    if not labelled.any():
        raise MissingLabels("Side.ANNOTATOR needs known annotators; use Side.COMMON.")
    leaning, variance = np.zeros(len(mass)), 0.0
    for _ in range(MOST_ROUNDS):
        residual = design.residuals()
        left = residual - rows.side * leaning[rows.annotator.code]
        noise = float(weight @ left**2 / weight.sum())
        seen = (mass > 0.0) & labelled
        free = by(weight * rows.side * residual)[seen] / mass[seen]
        error = noise * squared[seen] / mass[seen] ** 2
        before, variance = variance, between_variance(free, error)
        shrinkage = np.full(len(mass), inf)
        if variance > 0.0:
            own = noise * squared[seen] / (mass[seen] * variance)
            shrinkage[seen] = np.maximum(own, LEAST_SHRINKAGE * mass[seen])
        leaning = by(weight * rows.side * residual) / (mass + shrinkage)
        design = replace(design, shrinkage=shrinkage)
        if abs(variance - before) <= SETTLED * max(variance, 1.0):
            break
    spread = np.zeros(len(mass))
    if variance > 0.0:
        spread[seen] = np.sqrt(variance * shrinkage[seen] / (mass[seen] + shrinkage[seen]))
    found = Leanings(rows.who[labelled], leaning[labelled], spread[labelled], variance)
    return WorthBeside(design, found)
