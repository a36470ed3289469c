"""What models other than `fit_with_covariates` may take out beside the strengths, and what they found of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from ..arrays import Floats, lock
from ..comparisons import Comparisons
from ..counts import BothBad
from ..errors import BadCovariate, BadParameter
from ..options import option
from .design import Side, design, refuse_collinear


@dataclass(frozen=True)
class Adjustment:
    """All covariates of the data, and the side if asked for: `fit_magnitudes(votes, adjust=Adjustment())`.

    `names` (k,) are for messages and results. -penalty/2·Σ β² is added to the SUM over answers, β per root mean square
    of its covariate; the side's intercept is not penalised. Raises BadParameter.
    """

    side: Side = Side.NONE
    names: Sequence[str] | None = None
    penalty: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "side", option(Side, self.side, "side"))
        if not (isfinite(self.penalty) and self.penalty >= 0.0):
            raise BadParameter(f"penalty is {self.penalty}; give 0 for none, or a positive number.")


@dataclass(frozen=True, eq=False)
class Effects:
    """What moved answers besides strength, in its unit: logits, or what the model's strengths are in."""

    names: tuple[str, ...]  # (k,) covariates, then "side" if it was fitted
    value: Floats  # (k,) per `scale`
    covariance: Floats  # (k, k) under the fit's clustering
    scale: Floats  # (k,) root mean square of the covariate, by which it was divided; 1 for the side

    def __post_init__(self) -> None:
        lock(self)

    @property
    def per_unit(self) -> Floats:
        """(k,) per unit of each covariate as it was given."""
        return self.value / self.scale

    def standard_error(self) -> Floats:
        """(k,)"""
        return np.asarray(np.sqrt(np.maximum(self.covariance.diagonal(), 0.0)))


@dataclass(frozen=True, eq=False)
class Columns:
    """k columns for n rows, or for n responses, ready to be fitted."""

    names: tuple[str, ...]  # (k,)
    values: Floats  # (n, k) divided by `scale`
    scale: Floats  # (k,)
    penalty: Floats  # (k,)

    @classmethod
    def none(cls, rows: int) -> Columns:
        """No columns."""
        nothing = np.empty(0)
        return cls((), np.empty((rows, 0)), nothing, nothing)

    @property
    def count(self) -> int:
        """k."""
        return len(self.names)

    def effects(self, value: Floats, covariance: Floats) -> Effects | None:
        """None without columns; value (k,), covariance (k, k)."""
        return Effects(self.names, value, covariance, self.scale) if self.names else None

    def refuse_collinear(self, information: Floats, together: Floats) -> None:
        """Raises BadCovariate, see `design.refuse_collinear`."""
        if self.names:
            refuse_collinear(information, self.names, together)


def columns_of(rows: Comparisons, asked: Adjustment | None) -> Columns:
    """Of A minus B, every row used; the side last. Raises BadCovariate, ShapeMismatch."""
    if asked is None:
        return Columns.none(len(rows))
    found = design(rows, asked.side, BothBad.HALF, asked.names)
    refuse_nothing(found.names)
    values = np.concatenate([block.columns for block in found.blocks()], axis=1).T
    penalty = np.full(len(found.names), asked.penalty)
    penalty[len(penalty) - int(found.side) :] = 0.0
    return Columns(found.names, np.ascontiguousarray(values), found.scale, penalty)


def refuse_nothing(names: tuple[str, ...]) -> None:
    """Raises BadCovariate."""
    if not names:
        raise BadCovariate("There is nothing to adjust for; give covariates or ask for a side.")
