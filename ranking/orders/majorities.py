"""What the majorities say before any rule: Condorcet winner and loser, the Smith set, and the cycles by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path

from ..arrays import Bools, Floats, Ints
from ..options import checked
from .tournament import Source, tournament


@dataclass(frozen=True)
class Majorities:
    """Contestants by index; a majority is a share of more than one half."""

    winner: int | None  # preferred by a majority over every other present contestant
    loser: int | None  # every other is preferred over it
    smith: tuple[int, ...]  # smallest set whose every member is preferred over everyone outside it
    cycles: tuple[tuple[int, ...], ...]  # of each knot a shortest cycle: (0, 2, 1) = 0 over 2 over 1 over 0

    @property
    def transitive(self) -> bool:
        """No cycle: the majorities agree with some order."""
        return not self.cycles


@checked
def majorities(source: Source) -> Majorities:
    """Who beats whom, and where that goes in circles.

    A knot is a set within which majorities lead from each to each; one cycle of each is named, a shortest one.
    A Condorcet winner must have met everybody present. Raises what `tournament` does.
    """
    t = tournament(source)
    margin = t.margin[np.ix_(t.index, t.index)]
    beats = margin > 0
    others = len(margin) - 1
    winner, loser = np.flatnonzero(beats.sum(axis=1) == others), np.flatnonzero(beats.sum(axis=0) == others)
    return Majorities(
        winner=int(t.index[winner[0]]) if len(winner) else None,
        loser=int(t.index[loser[0]]) if len(loser) else None,
        smith=_named(strata(margin)[0], t.index),
        cycles=tuple(_named(cycle, t.index) for cycle in _cycles(beats)),
    )


def strata(margin: Floats) -> list[Ints]:
    """The finest split of m contestants with a majority of each member over every member of all later parts.

    margin (m, m). The first part is the Smith set; parts of one are free of cycles and level pairs.
    """
    unbeaten = ~(margin < 0)
    _, label = connected_components(csr_array(unbeaten.astype(np.int8)), directed=True, connection="strong")
    parts = [np.flatnonzero(label == one) for one in range(int(label.max()) + 1)]
    return sorted(parts, key=lambda part: -int((margin[part[0]] > 0)[label != label[part[0]]].sum()))


def _cycles(beats: Bools) -> list[Ints]:
    """A shortest cycle of every strongly connected part of more than one, largest part first."""
    _, label = connected_components(csr_array(beats.astype(np.int8)), directed=True, connection="strong")
    knots = [np.flatnonzero(label == one) for one in np.flatnonzero(np.bincount(label) > 1)]
    return [knot[_shortest_cycle(beats[np.ix_(knot, knot)])] for knot in sorted(knots, key=len, reverse=True)]


def _shortest_cycle(beats: Bools) -> Ints:
    """A shortest path from i to j and back by one majority of j over i; `beats` (k, k) strongly connected."""
    steps, before = shortest_path(csr_array(beats.astype(np.int8)), unweighted=True, return_predecessors=True)
    start, at = np.unravel_index(int(np.where(beats.T, steps, np.inf).argmin()), steps.shape)
    path = [int(at)]
    while path[-1] != start:
        path.append(int(before[start, path[-1]]))
    return np.array(path[::-1])


def _named(local: Ints, index: Ints) -> tuple[int, ...]:
    return tuple(int(one) for one in index[local])
