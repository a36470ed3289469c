"""Looking for the best contestant on many boards at once: ours, and the published algorithm as the peer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.many_boards import Boards, Drawn, uniform
from ranking.selection.thompson import challengers, duels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ours:
    """`DoubleThompsonPolicy`: shares of being best from `draws` samples of N(μ, Σ), then a pair from them."""

    epsilon: float = 0.05
    draws: int = 256

    def __call__(self, boards: Boards, rng: np.random.Generator) -> Drawn:
        root = np.linalg.cholesky(boards.covariance)
        normal = rng.standard_normal((boards.boards, self.draws, boards.count))
        best = (boards.mean[:, None, :] + normal @ root.swapaxes(1, 2)).argmax(axis=2)
        first, second = np.zeros((2, boards.boards), dtype=np.int64)
        for board in range(boards.boards):
            share = np.bincount(best[board], minlength=boards.count) / self.draws
            chance = duels(share, challengers(boards.mean[board], boards.covariance[board]))
            cumulative = np.cumsum(np.triu(chance, 1).ravel())
            index = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
            first[board], second[board] = divmod(index, boards.count)
        floor = rng.random(boards.boards) < self.epsilon
        any_first, any_second = uniform(boards, rng)
        return np.where(floor, any_first, first), np.where(floor, any_second, second)


@dataclass(frozen=True)
class DoubleThompson:
    """D-TS, algorithm 1 of Wu & Liu 2016, as duelpy has it: beta posteriors of each pair, no strengths.

    u, l = k/n ± √(α·ln t/n) (1 and 0 where n = 0). The first maximises the Copeland score of beta samples among those
    whose optimistic score is highest; the second the fresh sample against the first among those with l <= ½.
    """

    alpha: float = 0.51

    def __call__(self, boards: Boards, rng: np.random.Generator) -> Drawn:
        every, count = boards.every, boards.count
        number = boards.wins + boards.wins.swapaxes(1, 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(number > 0, boards.wins / number, 0.5)
            reach = np.where(number > 0, np.sqrt(self.alpha * np.log(boards.votes + 1.0) / number), 0.5)
        own = np.eye(count, dtype=np.bool_)
        upper, lower = np.where(own, 0.5, rate + reach), np.where(own, 0.5, rate - reach)
        optimistic = (upper > 0.5).sum(axis=2)
        sample = rng.beta(boards.wins + 1.0, boards.wins.swapaxes(1, 2) + 1.0)
        low = np.tril_indices(count, -1)
        sample[:, low[0], low[1]] = 1.0 - sample[:, low[1], low[0]]
        score = np.where(own, False, sample > 0.5).sum(axis=2) + rng.random((boards.boards, count)) * 0.5
        first = np.where(optimistic == optimistic.max(axis=1, keepdims=True), score, -1.0).argmax(axis=1)
        against = rng.beta(boards.wins[every, :, first] + 1.0, boards.wins[every, first, :] + 1.0)
        against[every, first] = 0.5
        second = np.where(lower[every, :, first] <= 0.5, against, -1.0).argmax(axis=1)
        # A duel of the leader with itself asks nobody; the vote goes to its best challenger instead.
        against[every, first] = -1.0
        return first, np.where(second == first, against.argmax(axis=1), second)


def copeland_winner(boards: Boards) -> NDArray[np.int64]:
    """(boards,) who beats most others in the counts, ties by the mean rate: what the peer would name."""
    number = boards.wins + boards.wins.swapaxes(1, 2)
    rate = np.where(number > 0, boards.wins / np.maximum(number, 1.0), 0.5)
    return np.asarray(((rate > 0.5).sum(axis=2) + 1e-3 * rate.mean(axis=2)).argmax(axis=1))
