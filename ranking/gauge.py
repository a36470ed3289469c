"""The freedom of location: strengths are known up to a constant until a mean is set to zero."""

from __future__ import annotations

from enum import StrEnum
from typing import TypedDict

import numpy as np

from .arrays import Floats
from .clusters import Spread
from .errors import UnknownIndex
from .pair_table import PairTable
from .strengths import Clustering


class Gauge(StrEnum):
    """Which mean of the strengths is zero. Differences do not depend on it; single standard errors do."""

    BATTLES = "battles"  # weighted by comparisons: a rare contestant cannot shift the others
    EQUAL = "equal"  # every contestant counts the same


def gauge_weights(gauge: Gauge | int, table: PairTable) -> Floats:
    """(m,) weights of the mean that is set to zero; an int is a contestant, whose strength is then zero.

    Raises UnknownIndex.
    """
    if gauge is Gauge.BATTLES:
        return np.asarray(table.battles / table.battles.sum())
    if gauge is Gauge.EQUAL:
        return np.full(len(table.wins), 1.0 / len(table.wins))
    if not (isinstance(gauge, int | np.integer) and 0 <= gauge < len(table.present) and table.present[gauge]):
        raise UnknownIndex(f"gauge is {gauge}; give a Gauge or the index of a contestant with comparisons.")
    return (table.index == gauge).astype(np.float64)


class Gauged(TypedDict):
    """The fields of a `StrengthFit` that say where the strengths are and how sure."""

    strength: Floats
    covariance: Floats
    hessian_covariance: Floats
    gauge: Floats
    clustering: Clustering


def gauged(point: Floats, inverse: Floats, spread: Spread, table: PairTable, gauge: Gauge | int) -> Gauged:
    """From a maximum `point` (p,) whose first m entries are strengths, its inverse information (p, p) and covariance.

    Raises UnknownIndex.
    """
    count, weights = len(table.index), gauge_weights(gauge, table)
    return {
        "strength": table.embed(point[:count] - weights @ point[:count], np.nan),
        "covariance": table.embed_square(in_gauge(spread.covariance[:count, :count], weights)),
        "hessian_covariance": table.embed_square(in_gauge(inverse[:count, :count], weights)),
        "gauge": table.embed(weights, 0.0),
        "clustering": spread.clustering,
    }


def in_gauge(covariance: Floats, weights: Floats) -> Floats:
    """(m, m) P V Pᵀ with P = I - 1 weightsᵀ: the covariance of θ - weightsᵀθ."""
    shared = covariance @ weights
    return np.asarray(covariance - shared[:, None] - shared[None, :] + weights @ shared)
