"""Comparisons collapsed to pair counts: all that a fit without covariates or clusters needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, floats, frozen
from .comparisons import Comparisons, check_weights
from .errors import BadParameter, BadWeight, ShapeMismatch, SingleContestant
from .options import checked, option

# Rows worked on at once: they stay in a core's cache through the six passes over them.
BLOCK = 1 << 16


class BothBad(StrEnum):
    """What a fit does with "neither is acceptable", which says nothing about the order."""

    LEAVE_OUT = "leave_out"
    HALF = "half"  # as a tie, half a win for each: what other public boards do


@dataclass(frozen=True, eq=False, kw_only=True)
class Counts:
    """Four planes of weighted counts; entry [i, j] counts rows that showed i as A and j as B.

    Both orders of a pair stay apart, because their difference is the side bias.
    """

    a_wins: Floats  # (M, M) A was preferred
    b_wins: Floats  # (M, M) B was preferred
    ties: Floats  # (M, M) no difference
    both_bad: Floats  # (M, M) neither was acceptable

    @property
    def count(self) -> int:
        """M."""
        return len(self.a_wins)

    @cached_property
    def wins(self) -> Floats:
        """(M, M) times i was preferred over j, on either side; ties count nowhere.

        The diagonal counts contestants met with themselves.
        """
        return frozen(self.a_wins + self.b_wins.T)

    def tied(self, both_bad: BothBad = BothBad.LEAVE_OUT) -> Floats:
        """(M, M), symmetric: times i and j tied, with `both_bad` among them only under `BothBad.HALF`."""
        left_out = option(BothBad, both_bad, "both_bad") is BothBad.LEAVE_OUT
        shown = self.ties if left_out else self.ties + self.both_bad
        return shown + shown.T

    @cached_property
    def decisive(self) -> Floats:
        """(M,) comparisons of each contestant in which one side was preferred."""
        return frozen(self.wins.sum(axis=0) + self.wins.sum(axis=1))

    @cached_property
    def both_bad_rate(self) -> Floats:
        """(M,) share of each contestant's comparisons in which neither was acceptable; NaN without any."""
        bad = self.both_bad.sum(axis=0) + self.both_bad.sum(axis=1)
        total = bad + self.decisive + self.tied().sum(axis=1)
        return frozen(np.divide(bad, total, out=np.full(self.count, np.nan), where=total > 0))

    def __add__(self, other: Counts) -> Counts:
        """Counts of both logs together: new votes join without a pass over the old ones, O(M²)."""
        if self.count != other.count:
            fix = "count both logs with the same count"
            raise ShapeMismatch(f"Counts over {self.count} and {other.count} contestants cannot be added; {fix}.")
        return Counts(
            a_wins=frozen(self.a_wins + other.a_wins),
            b_wins=frozen(self.b_wins + other.b_wins),
            ties=frozen(self.ties + other.ties),
            both_bad=frozen(self.both_bad + other.both_bad),
        )

    @classmethod
    def of(cls, wins: ArrayLike, ties: ArrayLike | None = None, *, ties_mirrored: bool | None = None) -> Counts:
        """From a published table: wins[i, j] = times i beat j, ties[i, j] = times they tied.

        Some tables, such as evalica's, hold each tie twice, at [i, j] and at [j, i]: `ties_mirrored=True` counts it
        once. False takes every entry for ties of its own; None does too, but refuses a symmetric table, which may be
        either. Raises ShapeMismatch, SingleContestant, BadWeight, BadParameter.
        """
        won = floats("wins", wins, BadWeight)
        drawn = np.zeros_like(won) if ties is None else floats("ties", ties, BadWeight)
        for name, table in (("wins", won), ("ties", drawn)):
            if table.ndim != 2 or table.shape[0] != table.shape[1] or table.shape != won.shape:
                raise ShapeMismatch(f"{name} has shape {table.shape}; give one row and column per contestant.")
            check_weights(name, table)
        if len(won) < 2:
            raise SingleContestant(f"The table holds {len(won)} contestants; a ranking needs two.")
        if (drawn - np.diag(drawn.diagonal())).any():
            drawn = _once(drawn, ties_mirrored)
        nothing = frozen(np.zeros_like(won))
        return cls(a_wins=frozen(won), b_wins=nothing, ties=frozen(drawn), both_bad=nothing)


def _once(ties: Floats, mirrored: bool | None) -> Floats:
    """(M, M) each tie in one place. Raises BadParameter."""
    symmetric = bool((ties == ties.T).all())
    if mirrored is None and symmetric:
        raise BadParameter(
            "ties is symmetric; give ties_mirrored=True if each tie stands in it twice, at [i, j] and at [j, i], or "
            "False if both entries are ties of their own."
        )
    if mirrored and not symmetric:
        raise BadParameter("ties is not symmetric, so no tie stands in it twice; leave ties_mirrored out.")
    return 0.5 * (ties + np.diag(ties.diagonal())) if mirrored else ties


@checked
def count_matrix(comparisons: Comparisons) -> Counts:
    """One pass over the rows (a histogram over 4·M² cells), summing weights.

    Cell = (kind, a, b) with kind 0 B preferred, 1 tie, 2 A preferred, 3 both bad.
    """
    count = comparisons.count
    cells = np.empty(len(comparisons), dtype=np.int64)
    for start in range(0, len(cells), BLOCK):
        some = slice(start, start + BLOCK)
        cell = cells[some]
        cell[:] = comparisons.outcome[some] * 2.0
        if comparisons.both_bad is not None:
            cell += comparisons.both_bad[some].view(np.int8) * np.int8(2)
        cell *= count
        cell += comparisons.a[some]
        cell *= count
        cell += comparisons.b[some]
    total = np.bincount(cells, weights=comparisons.weight, minlength=4 * count * count)
    planes = frozen(total.astype(np.float64, copy=False).reshape(4, count, count))
    return Counts(b_wins=planes[0], ties=planes[1], a_wins=planes[2], both_bad=planes[3])
