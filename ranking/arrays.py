"""The array types of the package. Shapes stand in the docstring or beside the field: ``# (n,)``."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import BadParameter, RankingError, ShapeMismatch, UnknownIndex

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Scalar = TypeVar("Scalar", bound=np.generic)


def frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A read-only view that shares memory with `array`: what is checked once cannot be written through it."""
    view = array.view()
    view.flags.writeable = False
    return view


def picked(rows: ArrayLike | slice, count: int) -> NDArray[np.generic] | slice:
    """Which of `count` rows a slice, a mask or places take, negative places from the end.

    Raises ShapeMismatch, UnknownIndex.
    """
    if isinstance(rows, slice):
        return rows
    array = as_array("rows", rows)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iub"):
        raise ShapeMismatch("Rows are picked by a slice, a mask, or a flat list of places; give [3] for the one row 3.")
    if array.dtype == np.bool_ and array.size and len(array) != count:
        raise ShapeMismatch(f"The mask has {len(array)} entries for {count} rows; give one per row.")
    if array.size and array.dtype != np.bool_ and not -count <= int(array.min()) <= int(array.max()) < count:
        raise UnknownIndex(f"Rows {array.min()} to {array.max()} are asked for; there are {count}, from 0.")
    return array if array.size else np.zeros(0, dtype=np.int64)


def lock(result: object) -> None:
    """Makes the arrays of a result read-only, in place."""
    for value in vars(result).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)


def floats(name: str, values: ArrayLike, refusal: type[RankingError] = BadParameter) -> Floats:
    """Numbers from a list, or an array without a copy. Raises ShapeMismatch, or `refusal` for what is no number."""
    array = as_array(name, values)
    if array.size and array.dtype.kind not in "iufb":
        raise refusal(f"{name} holds {array.dtype}; give numbers.")
    return array.astype(np.float64, copy=False)


def ints(name: str, values: ArrayLike) -> Ints:
    """Labels from a list, or from an array without a copy. Raises ShapeMismatch, UnknownIndex."""
    array = as_array(name, values)
    if array.size and array.dtype.kind not in "iu":
        raise UnknownIndex(f"{name} holds {array.dtype}; number the labels with integers first.")
    return array.astype(np.int64, copy=False)


def bools(name: str, values: ArrayLike, refusal: type[RankingError] = BadParameter) -> Bools:
    """Truth from booleans, or from numbers that are all 0 or 1. Raises ShapeMismatch, or `refusal`."""
    array = as_array(name, values)
    if array.size and not (array.dtype.kind in "biuf" and ((array == 0) | (array == 1)).all()):
        raise refusal(f"{name} holds {array.dtype} that are not all 0 or 1; give True or False, or 1 and 0.")
    return array.astype(np.bool_, copy=False)


def as_array(name: str, values: ArrayLike) -> NDArray[np.generic]:
    """Raises ShapeMismatch for rows of unequal length."""
    try:
        return np.asarray(values)
    except ValueError as ragged:
        raise ShapeMismatch(f"{name} has rows of unequal length; give one number for each place.") from ragged
