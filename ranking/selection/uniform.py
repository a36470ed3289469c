"""Every active pair alike, or in proportion to the product of its sampling weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints
from ..options import check_generator, checked
from .choice import Candidates, Choice, Parameter, random_order
from .pairs import PairDistribution, Pairs, all_pairs, drawn_place


@dataclass(frozen=True)
class UniformPolicy:
    """P({i, j}) = s_i·s_j / Σ s_k·s_l over the pairs that may be drawn; with equal weights one over their number."""

    name: str = "uniform"
    version: str = "1"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """None: the weights are part of the candidates and of their digest."""
        return {}

    def distribution(self, state: object, candidates: Candidates, rng: np.random.Generator) -> PairDistribution:
        """Over the pairs that may be drawn, by position among `candidates.drawable`; all of it floor where the weights
        are equal.
        """
        count, open_pairs = len(candidates.drawable), None
        pairs = all_pairs(count)
        if candidates.open_pairs is not None:
            open_pairs = candidates.open_among_drawable
            pairs = Pairs(*np.nonzero(np.triu(open_pairs, 1)))
        if candidates.weight is None:
            alike = np.full(len(pairs.first), 1.0 / len(pairs.first))
            return PairDistribution(pairs, alike, 1.0, count, open_pairs)
        weight = candidates.weight[candidates.weight > 0.0]
        mass = weight[pairs.first] * weight[pairs.second]
        return PairDistribution(pairs, mass / mass.sum(), 0.0, count, open_pairs)

    def choose(self, state: object, candidates: Candidates, rng: np.random.Generator) -> Choice:
        """Ignores `state`. Two uniform numbers for the pair, then one for the side. Raises BadParameter."""
        check_generator(rng)
        weight = candidates.weight
        if candidates.open_pairs is not None:
            pair, probability = _open_pair(candidates, rng)
        elif weight is None:
            pair, probability = _equal_pair(candidates, rng)
        else:
            pair, probability = _weighted_pair(candidates.active, weight, rng)
        order, p_side = random_order(pair, rng)
        return Choice(
            pair=pair,
            p_pair=probability,
            floor=weight is None,
            order=order,
            p_side=p_side,
            candidates=len(candidates),
            candidates_digest=candidates.digest,
            policy=self.name,
            version=self.version,
            parameters=self.parameters,
        )


@checked
def uniform_pair(active: Ints, rng: np.random.Generator, *, weight: Floats | None = None) -> Choice:
    """A pair of `active` (m,) with its exact probability; see `Candidates` and `UniformPolicy`."""
    return UniformPolicy().choose(None, Candidates(active, weight), rng)


def _equal_pair(candidates: Candidates, rng: np.random.Generator) -> tuple[tuple[int, int], float]:
    count = len(candidates)
    first = _below(count, rng)
    second = _below(count - 1, rng)
    second += second >= first
    return _named(candidates.active, first, second), 1.0 / candidates.pairs


def _weighted_pair(active: Ints, weight: Floats, rng: np.random.Generator) -> tuple[tuple[int, int], float]:
    """First by s_i·Σ_{j≠i} s_j, then by s_j among the others: both orders of a pair have s_i·s_j / Z."""
    ahead = np.concatenate(([0.0], np.cumsum(weight)[:-1]))
    behind = np.concatenate((np.cumsum(weight[::-1])[::-1][1:], [0.0]))
    mass = weight * (ahead + behind)
    first = drawn_place(mass, rng)
    rest = weight.copy()
    rest[first] = 0.0
    second = drawn_place(rest, rng)
    probability = 2.0 * float(weight[first] * weight[second]) / float(mass.sum())
    return _named(active, first, second), min(probability, 1.0)


def _open_pair(candidates: Candidates, rng: np.random.Generator) -> tuple[tuple[int, int], float]:
    """Of the open pairs, in proportion to s_i·s_j."""
    first, second = np.nonzero(np.triu(candidates.open_among_drawable, 1))
    names = candidates.drawable
    if candidates.weight is None:
        mass = np.ones(len(first))
    else:
        weight = candidates.weight[candidates.weight > 0.0]
        mass = weight[first] * weight[second]
    drawn = drawn_place(mass, rng)
    return _named(names, int(first[drawn]), int(second[drawn])), float(mass[drawn] / mass.sum())


def _named(active: Ints, first: int, second: int) -> tuple[int, int]:
    low, high = sorted((first, second))
    return int(active[low]), int(active[high])


def _below(count: int, rng: np.random.Generator) -> int:
    """Uniform on 0..count-1 from one double, the most stable stream that numpy offers across versions."""
    return min(int(rng.random() * count), count - 1)
