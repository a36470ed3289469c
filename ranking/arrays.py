"""The array types of the package. Shapes stand in the docstring or beside the field: ``# (n,)``."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Scalar = TypeVar("Scalar", bound=np.generic)


def frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A read-only view that shares memory with `array`: what is checked once cannot be written through it."""
    view = array.view()
    view.flags.writeable = False
    return view
