"""ASAP-approx as a peer: our own transcription of the paper, vectorised over all pairs so that the race is fair.

Mikhailiuk, Wilmot, Perez-Ortiz, Yue & Mantiuk 2020, "Active sampling for pairwise comparisons via approximate message
passing and information gain maximization", ICPR. Their package is on no registry. i is preferred to j where
s_i - s_j + e > 0, e ~ N(0, 1), s ~ N(0, ½). Scores are found anew from all votes by four rounds of message passing;
the gain of a pair is the expected Kullback-Leibler divergence of one online step (the approximate variant) from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.special import log_ndtr, ndtr

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRIOR_VARIANCE = 0.5
ROUNDS = 4
LOG_ROOT_TAU = 0.5 * np.log(2.0 * np.pi)


@dataclass(frozen=True, eq=False)
class Scores:
    """Independent normal posteriors."""

    mean: Floats  # (M,)
    variance: Floats  # (M,)


def solve(wins: Floats, rounds: int = ROUNDS) -> Scores:
    """Message passing, all votes at once; those with the same winner and loser send the same messages, so count once.

    A vote's messages are kept as precision and precision times mean, to its winner and to its loser.
    """
    ends = np.array(np.nonzero(wins))  # (2, rows)
    times, count = wins[ends[0], ends[1]], len(wins)
    precision, pull = np.zeros(ends.shape), np.zeros(ends.shape)
    total, along = np.full(count, 1.0 / PRIOR_VARIANCE), np.zeros(count)
    for _ in range(rounds):
        rest = total[ends] - precision
        mean, variance = (along[ends] - pull) / rest, 1.0 / rest
        spread = 1.0 + variance.sum(axis=0)
        gap = mean[0] - mean[1]
        push, shrink = truncated(gap / np.sqrt(spread))
        # What the vote alone says of the gap with its noise, then of either end given the other.
        own_precision = 1.0 / (spread * (1.0 - shrink)) - 1.0 / spread
        known = (gap + np.sqrt(spread) * push) / (spread * (1.0 - shrink)) - gap / spread
        own_mean = known / own_precision
        other = variance[::-1]
        precision = 1.0 / (1.0 + 1.0 / own_precision + other)
        pull = precision * (np.stack((own_mean, -own_mean)) + mean[::-1])
        total = 1.0 / PRIOR_VARIANCE + gathered(ends, times * precision, count)
        along = gathered(ends, times * pull, count)
    return Scores(along / total, 1.0 / total)


def gains(scores: Scores, first: Ints, second: Ints) -> Floats:
    """(k,) expected divergence of the posterior after one more vote on each pair from the one before."""
    spread = 1.0 + scores.variance[first] + scores.variance[second]
    gap = (scores.mean[first] - scores.mean[second]) / np.sqrt(spread)
    chance = ndtr(gap)
    divergence = []
    for ahead in (gap, -gap):
        push, shrink = truncated(ahead)
        divergence.append(sum(step(scores.variance[end] / spread, push, shrink) for end in (first, second)))
    return np.asarray(chance * divergence[0] + (1.0 - chance) * divergence[1])


def step(share: Floats, push: Floats, shrink: Floats) -> Floats:
    """Divergence of one end's N(m + √v·√share·push, v·(1 - share·shrink)) from its N(m, v)."""
    kept = 1.0 - share * shrink
    return np.asarray(0.5 * (kept - 1.0 - np.log(kept) + share * push**2))


def to_evaluate(scores: Scores, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """The pairs whose gain is worked out at all: at random, the likelier the less certain their outcome is."""
    first, second = np.tril_indices(len(scores.mean), -1)
    gap = scores.mean[first] - scores.mean[second]
    chance = ndtr(-np.abs(gap) / np.sqrt(1.0 + scores.variance[first] + scores.variance[second]))
    most = np.zeros(len(scores.mean))
    np.maximum.at(most, first, chance)
    kept = chance >= most[first] * rng.random(len(chance))
    return first[kept], second[kept]


def gains_in_turn(scores: Scores, first: Ints, second: Ints) -> Floats:
    """(k,) the same, as the published program does it."""
    ends = zip(first[:, None], second[:, None], strict=True)
    return np.concatenate([gains(scores, one, other) for one, other in ends])


Gains = Callable[[Scores, Ints, Ints], Floats]


def one_pair(wins: Floats, rng: np.random.Generator, *, gains: Gains = gains) -> tuple[int, int]:
    """The pair of the largest gain."""
    scores = solve(wins)
    first, second = to_evaluate(scores, rng)
    best = int(gains(scores, first, second).argmax())
    return int(first[best]), int(second[best])


def batch(wins: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """The M - 1 pairs of the minimum spanning tree over 1/gain."""
    scores = solve(wins)
    first, second = to_evaluate(scores, rng)
    weight = np.zeros(wins.shape)
    weight[first, second] = 1.0 / np.maximum(gains(scores, first, second), 1e-12)
    tree = minimum_spanning_tree(weight).tocoo()
    return tree.row.astype(np.int64), tree.col.astype(np.int64)


def truncated(gap: Floats) -> tuple[Floats, Floats]:
    """ψ = φ/Φ and ψ(ψ + t): by how much a standard normal gap moves and narrows, known to be above -t."""
    push = np.exp(-0.5 * gap**2 - LOG_ROOT_TAU - log_ndtr(gap))
    return push, push * (push + gap)


def gathered(ends: Ints, values: Floats, count: int) -> Floats:
    return np.bincount(ends.ravel(), values.ravel(), minlength=count)
