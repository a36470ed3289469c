"""The counts that a fit uses, over the contestants that have any, and the way back to all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import NDArray

from .arrays import Bools, Floats, Ints, Scalar
from .comparisons import Comparisons
from .connectivity import Groups, find_groups
from .counts import BothBad, Counts
from .errors import NoComparisons
from .strengths import Evidence


@dataclass(frozen=True, eq=False)
class PairTable:
    """m of M contestants are present: those that met another one."""

    present: Bools  # (M,)
    wins: Floats  # (m, m) [i, j] = times i was preferred over j; zero diagonal
    ties: Floats  # (m, m) symmetric, zero diagonal
    own_wins: Floats  # (m,) comparisons with itself: they say nothing about the order
    own_ties: Floats  # (m,)

    @cached_property
    def total(self) -> Floats:
        """(m, m) comparisons of each pair."""
        return np.asarray(self.wins + self.wins.T + self.ties)

    @cached_property
    def battles(self) -> Floats:
        """(m,) with other contestants."""
        return np.asarray(self.total.sum(axis=1))

    @cached_property
    def credit(self) -> Floats:
        """(m,) wins plus half the ties."""
        return np.asarray(self.wins.sum(axis=1) + 0.5 * self.ties.sum(axis=1))

    @cached_property
    def own_total(self) -> float:
        """Comparisons of contestants with themselves."""
        return float(self.own_wins.sum() + self.own_ties.sum())

    @cached_property
    def tie_total(self) -> float:
        """All ties."""
        return 0.5 * float(self.ties.sum()) + float(self.own_ties.sum())

    @cached_property
    def groups(self) -> Groups:
        """Who shares a scale with whom."""
        return find_groups((self.wins + self.ties) > 0)

    @cached_property
    def index(self) -> Ints:
        """(m,) the number of each present contestant."""
        return np.flatnonzero(self.present)

    def embed(self, values: NDArray[Scalar], absent: float) -> NDArray[Scalar]:
        """(M,) from (m,), `absent` where there is no comparison."""
        if len(values) == len(self.present):
            return values
        full = np.full(len(self.present), absent, dtype=values.dtype)
        full[self.index] = values
        return full

    def embed_square(self, values: Floats, absent: float = nan) -> Floats:
        """(M, M) from (m, m)."""
        if len(values) == len(self.present):
            return values
        full = np.full((len(self.present), len(self.present)), absent)
        full[np.ix_(self.index, self.index)] = values
        return full

    def labelled_rows(self, data: Comparisons | Counts, both_bad: BothBad) -> Comparisons | None:
        """The rows behind this table, contestants numbered 0..m-1 as in `index`; None if nothing clusters them."""
        if isinstance(data, Counts) or (data.annotator is None and data.prompt is None):
            return None
        return self.rows(data, both_bad)

    def rows(self, comparisons: Comparisons, both_bad: BothBad) -> Comparisons:
        """Those behind this table, contestants numbered 0..m-1 as in `index`."""
        kept = self.present[comparisons.a]
        if both_bad is BothBad.LEAVE_OUT and comparisons.both_bad is not None:
            kept &= ~comparisons.both_bad
        if comparisons.weight is not None:
            kept &= comparisons.weight > 0
        if not kept.all():
            comparisons = comparisons.select(kept)
        if len(self.index) == len(self.present):
            return comparisons
        position = np.cumsum(self.present) - 1
        a, b = position[comparisons.a], position[comparisons.b]
        return replace(comparisons, a=a, b=b, count=len(self.index))

    def evidence(self, provisional_below: float) -> Evidence:
        """Provisional: fewer decisive comparisons than that, or outside the main strong group."""
        decisive = self.wins.sum(axis=0) + self.wins.sum(axis=1)
        undefeated, winless = self.credit == self.battles, self.credit == 0
        outside = undefeated | winless | self.groups.outside_main(self.battles)
        return Evidence(
            battles=self.embed(self.battles + 2.0 * (self.own_wins + self.own_ties), 0.0),
            decisive=self.embed(decisive, 0.0),
            present=self.present,
            undefeated=self.embed(undefeated, False),
            winless=self.embed(winless, False),
            provisional=self.embed(outside | (decisive < provisional_below), False),
            component=self.embed(self.groups.weak, -1),
        )


def tabulate(counts: Counts, both_bad: BothBad) -> PairTable:
    """Raises NoComparisons if no contestant met another."""
    wins, ties = counts.wins, counts.tied(both_bad)
    own_wins, own_ties = wins.diagonal(), 0.5 * ties.diagonal()
    if own_wins.any() or own_ties.any():
        elsewhere = 1.0 - np.eye(counts.count)
        wins, ties = wins * elsewhere, ties * elsewhere
    present = (wins.sum(axis=0) + wins.sum(axis=1) + ties.sum(axis=1)) > 0
    if not present.any():
        half = ", or count both_bad with BothBad.HALF" if counts.both_bad.any() else ""
        raise NoComparisons(f"No comparison of two contestants is left to fit; collect votes{half}.")
    if not present.all():
        kept = np.ix_(present, present)
        wins, ties = wins[kept], ties[kept]
    return PairTable(present, wins, ties, own_wins[present], own_ties[present])
