"""Who can be compared with whom.

Strengths share a scale only within a weakly connected component of the comparison graph, and are finite
without a prior only if that graph, with an edge from winner to loser, is strongly connected
(Ford 1957, "Solution of a ranking problem from binary comparisons", Amer. Math. Monthly 64).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from .arrays import Bools, Floats, Ints
from .errors import NotConnected, NotStronglyConnected
from .strengths import Note


@dataclass(frozen=True, eq=False)
class Groups:
    """Components of the comparison graph over m contestants."""

    weak: Ints  # (m,) label of the group with a common scale
    strong: Ints  # (m,) label of the group within which the likelihood bounds every difference

    @property
    def connected(self) -> bool:
        """One weak component."""
        return not self.weak.any()

    @property
    def separated(self) -> bool:
        """Some weak component holds several strong ones."""
        return int(self.strong.max()) > int(self.weak.max())

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a fit under a prior has to say of them."""
        split = () if self.connected else (Note.NOT_CONNECTED,)
        return (*split, Note.SEPARATED) if self.separated else split

    def refuse_unless_joined(self, index: Ints) -> None:
        """Raises NotConnected, where no prior would help; `index` (m,) are the numbers to name in it."""
        if not self.connected:
            raise NotConnected(members(self.weak, index))

    def refuse_unless_bounded(self, index: Ints) -> None:
        """Raises NotConnected or NotStronglyConnected, where a prior would help."""
        if not self.connected:
            fix = "Rank each group apart, collect comparisons between them, or fit with a prior (VirtualTie())."
            raise NotConnected(members(self.weak, index), fix)
        if self.separated:
            raise NotStronglyConnected(members(self.strong, index))

    def outside_main(self, size: Floats) -> Bools:
        """(m,) not in the strong group that holds most of `size` (m,) within its weak component."""
        if not self.separated:
            return np.zeros(len(self.weak), dtype=bool)
        held = np.bincount(self.strong, weights=size)[self.strong]
        outside = np.ones(len(self.weak), dtype=bool)
        for label in range(int(self.weak.max()) + 1):
            inside = np.flatnonzero(self.weak == label)
            main = self.strong[inside[np.argmax(held[inside])]]
            outside[self.strong == main] = False
        return outside


def find_groups(beats: Bools) -> Groups:
    """From (m, m), [i, j] = i won something from j, half a tie included."""
    if _strongly_connected(beats):
        together = np.zeros(len(beats), dtype=np.int64)
        return Groups(together, together)
    return Groups(_labels(beats, "weak"), _labels(beats, "strong"))


def members(labels: Ints, index: Ints) -> tuple[tuple[int, ...], ...]:
    """The entries of `index` (m,) under each label (m,), largest group first."""
    found = [tuple(index[labels == label].tolist()) for label in np.unique(labels)]
    return tuple(sorted(found, key=lambda group: (-len(group), group)))


def _strongly_connected(beats: Bools) -> bool:
    """Whether contestant 0 reaches all others along the edges and against them."""
    return _reaches_all(beats) and _reaches_all(beats.T)


def _reaches_all(edges: Bools) -> bool:
    """Breadth first: a few row operations on a dense graph."""
    reached = edges[0].copy()
    reached[0] = True
    found = 1
    while (total := int(np.count_nonzero(reached))) > found:
        if total == len(edges):
            return True
        found = total
        reached |= edges[reached].any(axis=0)
    return found == len(edges)


def _labels(edges: Bools, connection: Literal["weak", "strong"]) -> Ints:
    graph = csr_array(edges.astype(np.int8))
    _, labels = connected_components(graph, directed=True, connection=connection)
    return np.asarray(labels, dtype=np.int64)
