"""Pair counts that take new votes one by one."""

from __future__ import annotations

from math import isfinite
from typing import Protocol, cast

import numpy as np

from ..arrays import Floats, frozen
from ..counts import Counts
from ..errors import BadOutcome, BadWeight, SingleContestant, UnknownIndex

BOTH_BAD_PLANE = 3
_PLANE = {0.0: 0, 0.5: 1, 1.0: 2}  # as in `counts.count_matrix`


class Cells(Protocol):
    """Reads and writes single entries as Python floats: those of numpy cost three times as much."""

    def __getitem__(self, index: int) -> float: ...

    def __setitem__(self, index: int, value: float) -> None: ...


def cells(array: Floats) -> Cells:
    """Every entry of a contiguous array in row order, sharing its memory."""
    return cast("Cells", array.reshape(-1).data)


class LiveCounts:
    """The four planes of `Counts`, written in place: a vote costs the same however many there were before."""

    def __init__(self, count: int) -> None:
        """Empty, for `count` contestants. Raises SingleContestant."""
        if count < 2:
            raise SingleContestant(f"count is {count}: a ranking needs at least two contestants.")
        self.count = count
        self._planes = np.zeros((4, count, count))
        self._cells = cells(self._planes)

    @classmethod
    def of(cls, counts: Counts) -> LiveCounts:
        """A copy that goes on from `counts`."""
        live = cls(counts.count)
        live._planes[:] = (counts.b_wins, counts.ties, counts.a_wins, counts.both_bad)
        return live

    def add(self, a: int, b: int, outcome: float, weight: float = 1.0, *, both_bad: bool = False) -> None:
        """One vote that showed a as A: outcome 1, 0.5 or 0, and 0.5 where both_bad.

        Raises UnknownIndex, BadOutcome, BadWeight; a refused vote changes nothing.
        """
        count = self.count
        if not (0 <= a < count and 0 <= b < count):
            raise UnknownIndex(f"The vote is between {a} and {b}; contestants are 0 to {count - 1}.")
        plane = _PLANE.get(outcome)
        if plane is None or (both_bad and plane != 1):
            raise BadOutcome(f"outcome is {outcome}; use 1 (A), 0 (B) or 0.5 (tie), and 0.5 where both_bad.")
        if not (weight >= 0.0 and isfinite(weight)):
            raise BadWeight(f"weight is {weight}; weights are finite and not negative.")
        self._cells[((BOTH_BAD_PLANE if both_bad else plane) * count + a) * count + b] += weight

    def freeze(self) -> Counts:
        """A copy for any fit; O(M²)."""
        b_wins, ties, a_wins, both_bad = frozen(self._planes.copy())
        return Counts(a_wins=a_wins, b_wins=b_wins, ties=ties, both_bad=both_bad)
