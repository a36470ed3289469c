"""Judgments of single responses, without another beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Bools, Floats, Ints, frozen, picked
from .comparisons import check_weights
from .errors import BadCovariate, BadOutcome, BadWeight, ShapeMismatch, UnknownIndex


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """k judgments of single responses as acceptable or not.

    Labels are those of the comparisons fitted with them; -1 is unknown. Raises ShapeMismatch, UnknownIndex, BadOutcome,
    BadWeight, BadCovariate.
    """

    contestant: Ints  # (k,)
    acceptable: Bools  # (k,)
    weight: Floats | None = None  # (k,) finite, >= 0; None = 1 each
    annotator: Ints | None = None  # (k,)
    prompt: Ints | None = None  # (k,)
    covariates: Floats | None = None  # (k, c) finite, of the response: length, latency, ...

    def __post_init__(self) -> None:
        for name in ("contestant", "annotator", "prompt"):
            if getattr(self, name) is not None:
                self._keep(name, np.asarray(getattr(self, name)))
        acceptable = np.asarray(self.acceptable)
        if acceptable.dtype != np.bool_:
            raise BadOutcome(f"acceptable holds {acceptable.dtype}; give True or False per answer.")
        if acceptable.shape != self.contestant.shape:
            shapes = f"contestant has shape {self.contestant.shape} and acceptable {acceptable.shape}"
            raise ShapeMismatch(f"{shapes}; give one each per answer.")
        object.__setattr__(self, "acceptable", frozen(acceptable))
        if self.weight is not None:
            weight = np.asarray(self.weight)
            if weight.dtype.kind not in "iufb":
                raise BadWeight(f"weight holds {weight.dtype}; give numbers.")
            weight = weight.astype(np.float64, copy=False)
            check_weights("weight", weight)
            object.__setattr__(self, "weight", frozen(weight))
        for name in ("weight", "annotator", "prompt"):
            if (values := getattr(self, name)) is not None and values.shape != self.contestant.shape:
                raise ShapeMismatch(f"{name} has shape {values.shape}; give one value per answer.")
        if self.covariates is not None:
            object.__setattr__(self, "covariates", frozen(_covariates(self.covariates, len(self))))

    def __len__(self) -> int:
        return len(self.contestant)

    def select(self, rows: ArrayLike | slice) -> Answers:
        """The answers picked by a mask, by places or by a slice. Raises ShapeMismatch, UnknownIndex."""
        some = picked(rows, len(self))
        columns = ("contestant", "acceptable", "weight", "annotator", "prompt", "covariates")
        given = {name: values[some] for name in columns if (values := getattr(self, name)) is not None}
        return replace(self, **given)

    def counts(self, count: int) -> Floats:
        """(2, count) weighted answers, not acceptable and acceptable. Raises UnknownIndex."""
        strangers = (self.contestant < 0) | (self.contestant >= count)
        if strangers.any():
            raise UnknownIndex(
                f"contestant holds {self.contestant[np.argmax(strangers)]}; contestants are 0 to {count - 1}."
            )
        cell = self.acceptable * count + self.contestant
        return np.asarray(np.bincount(cell, self.weight, 2 * count), dtype=np.float64).reshape(2, count)

    def _keep(self, name: str, values: ArrayLike) -> None:
        array = np.asarray(values)
        if array.ndim != 1:
            raise ShapeMismatch(f"{name} has {array.ndim} dimensions; give one value per answer.")
        if array.size and array.dtype.kind not in "iu":
            raise UnknownIndex(f"{name} holds {array.dtype}; number the labels with integers first.")
        object.__setattr__(self, name, frozen(array.astype(np.int64, copy=False)))


def _covariates(values: ArrayLike, rows: int) -> Floats:
    array = np.asarray(values)
    if array.ndim != 2 or len(array) != rows:
        raise ShapeMismatch(f"covariates has shape {array.shape}; give one row of values per answer.")
    if array.dtype.kind not in "iufb" or not np.isfinite(array).all():
        raise BadCovariate("covariates hold NaN, infinite values or no numbers; leave those rows out or fill them in.")
    return array.astype(np.float64, copy=False)
