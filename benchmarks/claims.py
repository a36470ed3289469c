"""Does a board that anybody may look at at any time ever say that one of two equals is better?

Claims are the public ones: a difference outside its confidence sequence, at α over all pairs of the board, as
`watched_ranges` and `best_found` make them. Looked at every 20 votes while RO chooses the pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.many_boards import Boards, Policy, play
from benchmarks.rows import Row
from benchmarks.worlds import REPORTING, World, normal_quantiles
from ranking import always_valid_margin

ALPHA = 0.05
PEEK = 20
WORLDS = {
    "20 equal models": World(np.zeros(20)),
    "10 pairs of equal models": World(np.repeat(normal_quantiles(10), 2)),
}


def false_claims(policy: Policy, runs: int, votes: int) -> list[Row]:
    """Row 8: the share of boards that ever claimed a tied pair; in the note, pairs at an α of their own."""
    rows = []
    for name, world in WORLDS.items():
        seen = Seen(world, runs)
        rng = np.random.default_rng(REPORTING)
        play(world, seen.boards, policy, range(PEEK, votes + 1, PEEK), rng, measure=seen.look)
        alone = f"tied pairs ever claimed at their own α {100 * seen.alone[:, seen.tied].mean():.1f} %"
        true = "" if seen.tied.all() else f", true differences claimed {100 * seen.public[:, ~seen.tied].mean():.0f} %"
        share = float(seen.public[:, seen.tied].any(axis=1).mean())
        note = f"({runs} runs of {votes} votes; {alone}{true})"
        rows.append(Row("boards that ever claimed a tied pair", name, share, "share", note=note))
    return rows


class Seen:
    """What had been claimed of each pair at any look so far."""

    def __init__(self, world: World, runs: int) -> None:
        count = len(world.strength)
        self.boards = Boards(runs, count)
        self.row, self.column = np.triu_indices(count, 1)
        self.tied = world.strength[self.row] == world.strength[self.column]
        self.public, self.alone = np.zeros((2, runs, len(self.row)), dtype=np.bool_)

    def look(self, boards: Boards) -> NDArray[np.float64]:
        """Notes the claims; (boards,) how many were public."""
        gap = np.abs(boards.mean[:, self.row] - boards.mean[:, self.column])
        own = np.diagonal(boards.covariance, axis1=1, axis2=2)
        shared = boards.covariance[:, self.row, self.column]
        variance = np.maximum(own[:, self.row] + own[:, self.column] - 2.0 * shared, 1e-12)
        self.alone |= gap > always_valid_margin(variance, 1.0 - ALPHA)
        self.public |= gap > always_valid_margin(variance, 1.0 - ALPHA / len(self.row))
        return self.public.sum(axis=1).astype(np.float64)
