"""Numbers as they are stored: little-endian float32, one after the other."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence


def packed(numbers: Sequence[float]) -> bytes:
    values = array("f", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def unpacked(stored: bytes | memoryview) -> array[float]:
    values = array("f", bytes(stored))
    if sys.byteorder == "big":
        values.byteswap()
    return values
