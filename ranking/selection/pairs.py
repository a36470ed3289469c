"""Which pairs a draw looks at, and the draw itself: a floor over all active pairs mixed with what was learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ..arrays import Bools, Floats, Ints, frozen
from ..errors import BadParameter
from .choice import Candidates, Choice, Policy, random_order

# With more contestants, scores are computed for near ranks and a random few instead of for all pairs.
ALL_PAIRS_UP_TO = 60
WINDOW = 8
EXTRA = 256


@dataclass(frozen=True, eq=False)
class Pairs:
    """k different pairs of the m active, as positions among them."""

    first: Ints  # (k,)
    second: Ints  # (k,)


@dataclass(frozen=True)
class DrawnPair:
    """Positions in ascending order, the probability of this unordered pair, and whether the floor drew it."""

    first: int
    second: int
    probability: float
    floor: bool


@dataclass(frozen=True, eq=False)
class PairDistribution:
    """P(ij) = ε/|A| + (1 - ε)·chance_ij over the active pairs A; chance is 0 where not scored. A is every pair, all
    m(m - 1)/2 of them, or those that are open; `chance` is for open ones alone.
    """

    pairs: Pairs
    chance: Floats  # (k,) sums to 1
    epsilon: float
    count: int  # m
    open_pairs: Bools | None = None  # (m, m) symmetric; None = every pair

    def draw(self, rng: np.random.Generator) -> DrawnPair:
        """Two or three uniform numbers: floor or not, then the pair. Its probability adds up both ways to it."""
        if rng.random() < self.epsilon:
            low, high = self._uniform(rng)
            return DrawnPair(low, high, self.probability(low, high), True)
        cumulative, last = self._cumulative
        index = min(int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")), last)
        low, high = sorted((int(self.pairs.first[index]), int(self.pairs.second[index])))
        return DrawnPair(low, high, self._mixed(float(self.chance[index])), False)

    def probability(self, first: int, second: int) -> float:
        """Of drawing this unordered pair of positions."""
        if self.open_pairs is not None and not self.open_pairs[first, second]:
            return 0.0
        one, other = self.pairs.first, self.pairs.second
        found = ((one == first) & (other == second)) | ((one == second) & (other == first))
        return self._mixed(float(self.chance[found].sum()))

    def matrix(self) -> Floats:
        """(m, m) symmetric, of every unordered pair; for audits and tests."""
        every = np.full((self.count, self.count), self._mixed(0.0))
        np.fill_diagonal(every, 0.0)
        if self.open_pairs is not None:
            every[~self.open_pairs] = 0.0
        learned = (1.0 - self.epsilon) * self.chance
        every[self.pairs.first, self.pairs.second] += learned
        every[self.pairs.second, self.pairs.first] += learned
        return every

    @cached_property
    def _cumulative(self) -> tuple[Floats, int]:
        """Kept for all draws of a batch, with the last pair that may be drawn."""
        return np.cumsum(self.chance), int(np.flatnonzero(self.chance)[-1])

    def _uniform(self, rng: np.random.Generator) -> tuple[int, int]:
        """Any active pair alike."""
        if self.open_pairs is not None:
            rows, columns = self._listed
            place = _below(len(rows), rng)
            return int(rows[place]), int(columns[place])
        low = _below(self.count, rng)
        high = _below(self.count - 1, rng)
        low, high = sorted((low, high + (high >= low)))
        return low, high

    @cached_property
    def _listed(self) -> tuple[Ints, Ints]:
        """The open pairs, the smaller position first."""
        assert self.open_pairs is not None
        rows, columns = np.nonzero(np.triu(self.open_pairs, 1))
        return rows, columns

    def _mixed(self, chance: float) -> float:
        active = self.count * (self.count - 1) // 2 if self.open_pairs is None else len(self._listed[0])
        floor = self.epsilon / active
        return min(floor + (1.0 - self.epsilon) * chance, 1.0)


def made(policy: Policy[Any], candidates: Candidates, drawn: DrawnPair, rng: np.random.Generator) -> Choice:
    """What is logged of a drawn pair, positions among `candidates.drawable`; one more uniform number for the side."""
    pair = int(candidates.drawable[drawn.first]), int(candidates.drawable[drawn.second])
    order, p_side = random_order(pair, rng)
    return Choice(
        pair=pair,
        p_pair=drawn.probability,
        floor=drawn.floor,
        order=order,
        p_side=p_side,
        candidates=len(candidates),
        candidates_digest=candidates.digest,
        policy=policy.name,
        version=policy.version,
        parameters=policy.parameters,
    )


def pairs_to_score(mean: Floats, rng: np.random.Generator) -> Pairs:
    """All pairs of up to 60 contestants of posterior mean `mean` (m,); of more, a rank window and a random few.

    The window holds pairs at most 8 ranks apart; 256 random pairs are added without repeats. Only then is `rng`
    used, so the seed replays the set, and the probability of a draw is conditional on it.
    """
    count = len(mean)
    if count <= ALL_PAIRS_UP_TO:
        return all_pairs(count)
    ranked = np.argsort(-mean, kind="stable")
    near = near_ranks(count)
    first = np.minimum((rng.random(EXTRA) * count).astype(np.int64), count - 1)
    second = np.minimum((rng.random(EXTRA) * count).astype(np.int64), count - 1)
    low, high = np.minimum(first, second), np.maximum(first, second)
    far = np.unique((low * count + high)[high - low > WINDOW])
    return Pairs(ranked[np.concatenate((near.first, far // count))], ranked[np.concatenate((near.second, far % count))])


@lru_cache(maxsize=64)
def all_pairs(count: int) -> Pairs:
    """Every pair of 0..count-1, first < second."""
    first, second = np.triu_indices(count, 1)
    return Pairs(frozen(first), frozen(second))


def only_open(pairs: Pairs, open_pairs: Bools | None) -> Pairs:
    """Those of `pairs` that are open; where none is, every open pair."""
    if open_pairs is None:
        return pairs
    kept = open_pairs[pairs.first, pairs.second]
    return Pairs(pairs.first[kept], pairs.second[kept]) if kept.any() else Pairs(*np.nonzero(np.triu(open_pairs, 1)))


def tempered(score: Floats, eta: float) -> Floats:
    """(k,) chances in proportion to exp(η·score), the score a logarithm; η = inf shares among the largest."""
    top = score.max()
    if np.isinf(eta) or np.isinf(top):
        largest: Bools = score == top
        return np.asarray(largest / largest.sum())
    chance = np.exp(eta * (score - top))
    return np.asarray(chance / chance.sum())


def capped(score: Floats, eta: float, newcomer: Bools, share: float) -> Floats:
    """As `tempered`, but pairs with a newcomer, marked (k,), get at most `share` of the draws together.

    Each group is normalised by itself, so that the others keep their proportions however low their scores are.
    """
    chance = tempered(score, eta)
    mass = float(chance[newcomer].sum())
    if mass <= share or newcomer.all():
        return chance
    chance[newcomer] *= share / mass
    chance[~newcomer] = (1.0 - share) * tempered(score[~newcomer], eta)
    return chance


def check_epsilon(epsilon: float) -> None:
    """Raises BadParameter unless 0 < ε <= 1: without a floor no draw could be reweighted."""
    if not 0.0 < epsilon <= 1.0:
        raise BadParameter(f"epsilon is {epsilon}; give the share of uniform draws, above 0 and at most 1.")


@lru_cache(maxsize=64)
def near_ranks(count: int) -> Pairs:
    """Pairs of ranks at most `WINDOW` apart, the better first."""
    first = np.concatenate([np.arange(count - apart) for apart in range(1, WINDOW + 1)])
    second = np.concatenate([np.arange(apart, count) for apart in range(1, WINDOW + 1)])
    return Pairs(frozen(first), frozen(second))


def drawn_place(mass: Floats, rng: np.random.Generator) -> int:
    """An index in proportion to mass, never one of mass zero."""
    cumulative = np.cumsum(mass)
    index = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
    return min(index, int(np.flatnonzero(mass)[-1]))


def _below(count: int, rng: np.random.Generator) -> int:
    return min(int(rng.random() * count), count - 1)
