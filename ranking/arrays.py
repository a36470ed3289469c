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


def floats(name: str, values: ArrayLike, refusal: type[RankingError] = BadParameter) -> Floats:
    """Numbers from a list, or an array without a copy. Raises ShapeMismatch, or `refusal` for what is no number."""
    array = _array(name, values)
    if array.size and array.dtype.kind not in "iufb":
        raise refusal(f"{name} holds {array.dtype}; give numbers.")
    return array.astype(np.float64, copy=False)


def ints(name: str, values: ArrayLike) -> Ints:
    """Labels from a list, or from an array without a copy. Raises ShapeMismatch, UnknownIndex."""
    array = _array(name, values)
    if array.size and array.dtype.kind not in "iu":
        raise UnknownIndex(f"{name} holds {array.dtype}; number the labels with integers first.")
    return array.astype(np.int64, copy=False)


def bools(name: str, values: ArrayLike, refusal: type[RankingError] = BadParameter) -> Bools:
    """Truth from booleans, or from numbers that are all 0 or 1. Raises ShapeMismatch, or `refusal`."""
    array = _array(name, values)
    if array.size and not (array.dtype.kind in "biuf" and ((array == 0) | (array == 1)).all()):
        raise refusal(f"{name} holds {array.dtype} that are not all 0 or 1; give True or False, or 1 and 0.")
    return array.astype(np.bool_, copy=False)


def _array(name: str, values: ArrayLike) -> NDArray[np.generic]:
    try:
        return np.asarray(values)
    except ValueError as ragged:
        raise ShapeMismatch(f"{name} has rows of unequal length; give one number for each place.") from ragged
