"""Three or more contestants at once: a pair by the policy, the others beside it, with the exact probability of all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from math import comb
from typing import Any, Protocol, TypeVar

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..errors import BadParameter, TooFewCandidates
from ..options import check_generator, whole
from .choice import Candidates, Parameter
from .pairs import PairDistribution, drawn_place

# A set of k has k!/2 ways to come about as a pair and an order of the others; four have twelve.
MOST = 6
# Under a cap: the chance that none of some is in a set is summed over one or two further draws.
MOST_CAPPED = 4


StateT_contra = TypeVar("StateT_contra", contravariant=True)


class PairPolicy(Protocol[StateT_contra]):
    """A policy that can tell the probability of every pair."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, Parameter]: ...

    def distribution(
        self, state: StateT_contra, candidates: Candidates, rng: np.random.Generator
    ) -> PairDistribution: ...


@dataclass(frozen=True)
class SetChoice:
    """Several drawn contestants and everything needed to weigh the draw or to make it again."""

    members: tuple[int, ...]  # names, ascending
    p_set: float  # probability of this unordered set, in (0, 1]
    floor: bool  # every set of this size was alike: usable for audits without reweighting
    candidates: int
    candidates_digest: str
    policy: str
    version: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict, hash=False)


def choose_set(
    policy: PairPolicy[Any], state: Any, candidates: Candidates, rng: np.random.Generator, size: int
) -> SetChoice:
    """`size` of the candidates by a policy of pairs, with the exact probability of the set; see `draw_set`.

    Of a policy that scores a random part of the pairs it is exact given that part. Raises BadParameter where only some
    pairs are open, TooFewCandidates where fewer than `size` have a weight, UnknownIndex as the policy does.
    """
    check_generator(rng)
    distribution = policy.distribution(state, candidates, rng)
    weight = None if candidates.weight is None else candidates.weight[candidates.weight > 0.0]
    drawn = draw_set(distribution, size, rng, weight=weight)
    return _told(policy, candidates, candidates.drawable[list(drawn.members)], drawn.probability, floor=drawn.floor)


def choose_capped_set(
    policy: PairPolicy[Any],
    state: Any,
    candidates: Candidates,
    rng: np.random.Generator,
    size: int,
    *,
    marked: Collection[int],
    share: float,
) -> SetChoice:
    """As `choose_set`, but sets with one of the `marked` names in them get at most `share` of the draws together.

    With P the probability of `draw_set`, M the sets with a marked name and Q that of the policy among the others alone,

        P'(S) = share · P(S) / P(M)  for S in M,   (1 - share) · Q(S)  for the others,

    so that marked sets keep their proportions and the others are drawn as if nobody else were there. Where P(M) is no
    more than `share`, or fewer than `size` others have a weight, it is `choose_set`. A draw under the cap is no floor.

    Raises what `choose_set` raises, and BadParameter for a share outside (0, 1] or a size above four.
    """
    check_generator(rng)
    if not 0.0 < share <= 1.0 or size > MOST_CAPPED:
        raise BadParameter(f"share is {share}, size {size}; give a share above 0 up to 1, at most {MOST_CAPPED}.")
    names = candidates.drawable
    new = np.isin(names, list(marked))
    if not new.any() or int((~new).sum()) < size:
        return choose_set(policy, state, candidates, rng, size)
    weight = None if candidates.weight is None else candidates.weight[candidates.weight > 0.0]
    distribution = policy.distribution(state, candidates, rng)
    mass = 1.0 - chance_of_none(distribution, size, new, weight=weight)
    if mass <= share:
        drawn = draw_set(distribution, size, rng, weight=weight)
        return _told(policy, candidates, names[list(drawn.members)], drawn.probability, floor=drawn.floor)
    if rng.random() >= share:
        others = Candidates(names[~new], None if weight is None else weight[~new])
        chosen = choose_set(policy, state, others, rng, size)
        return _told(policy, candidates, chosen.members, (1.0 - share) * chosen.p_set, floor=False)
    drawn = _with_one_of(new, distribution, size, rng, weight)
    return _told(policy, candidates, names[list(drawn.members)], share * drawn.probability / mass, floor=False)


def _told(
    policy: PairPolicy[Any], candidates: Candidates, members: Iterable[int], chance: float, *, floor: bool
) -> SetChoice:
    return SetChoice(
        members=tuple(int(name) for name in members),
        p_set=min(chance, 1.0),
        floor=floor,
        candidates=len(candidates),
        candidates_digest=candidates.digest,
        policy=policy.name,
        version=policy.version,
        parameters=dict(policy.parameters),
    )


def _with_one_of(
    marked: Bools, distribution: PairDistribution, size: int, rng: np.random.Generator, weight: Floats | None
) -> DrawnSet:
    """Sets until one holds a marked position: at least one in 1/share does, or the cap would not bind."""
    while True:
        drawn = draw_set(distribution, size, rng, weight=weight)
        if marked[list(drawn.members)].any():
            return drawn


def chance_of_none(distribution: PairDistribution, size: int, marked: Bools, *, weight: Floats | None = None) -> float:
    """That a set by `draw_set` holds none of the `marked` (m,) positions: of the uniform part by counting; of the
    learned part Σ_{ij} chance_ij·Π (1 - marked) times the chance that one or two successive draws of the others miss
    them too,

        q₁ = V/W,   q₂ = Σ_u w_u/W · (V - w_u)/(W - w_u),

    W summing the weights of all but i and j, V those of them that are not marked, u over the latter. Sizes two to four.
    """
    count, free = distribution.count, int((~marked).sum())
    uniform = comb(free, size) / comb(count, size)
    if distribution.epsilon >= 1.0:
        return uniform
    weights = np.ones(count) if weight is None else np.asarray(weight, dtype=np.float64)
    first, second = distribution.pairs.first, distribution.pairs.second
    kept = ~marked[first] & ~marked[second] & (distribution.chance > 0.0)
    first, second, chance = first[kept], second[kept], distribution.chance[kept]
    taken = weights[first] + weights[second]
    missing = _misses(weights, marked, first, second, taken, size - 2)
    return distribution.epsilon * uniform + (1.0 - distribution.epsilon) * float((chance * missing).sum())


def _misses(weights: Floats, marked: Bools, first: Ints, second: Ints, taken: Floats, draws: int) -> Floats:
    """(k,) that so many successive draws beside each pair are none of the marked."""
    left, free = weights.sum() - taken, weights[~marked].sum() - taken
    if draws == 0:
        return np.ones(len(taken))
    if draws == 1:
        return np.asarray(free / left)
    each = np.flatnonzero(~marked)
    weight = np.where((each == first[:, None]) | (each == second[:, None]), 0.0, weights[each])
    after = (free[:, None] - weight) / (left[:, None] - weight)
    return np.asarray((weight / left[:, None] * after).sum(axis=1))


@dataclass(frozen=True)
class DrawnSet:
    """Positions in ascending order, the probability of this unordered set, and whether the floor drew it."""

    members: tuple[int, ...]
    probability: float
    floor: bool


def draw_set(
    distribution: PairDistribution, size: int, rng: np.random.Generator, *, weight: Floats | None = None
) -> DrawnSet:
    """`size` different positions of the m active. With probability ε all of them uniformly, so that every set keeps a
    floor; else a pair by the learned chances, and the others one after the other without replacement in proportion to
    `weight` (m,), all alike where None.

    P(S) = ε/C(m, k) + (1 - ε)·Σ_{ij ⊂ S} chance_ij·q(S∖ij | ij), where q sums the successive draws over the orders of
    the others, q = Σ_σ Π_t w_σt / (W - w_i - w_j - Σ_{u<t} w_σu): successive sampling, as in Raj, D. (1956), "Some
    estimators in sampling with varying probabilities without replacement", JASA 51. With ε = 1, or with equal weights
    and equal chances, it is 1/C(m, k).

    Raises BadParameter for a size below 2 or above six and for a distribution over open pairs alone, TooFewCandidates
    where fewer than `size` are active.
    """
    check_generator(rng)
    size, count = whole("size", size), distribution.count
    if not 2 <= size <= MOST or distribution.open_pairs is not None:
        raise BadParameter(f"size is {size}; give 2 to {MOST}, and a distribution over every pair.")
    if size > count:
        raise TooFewCandidates(f"{count} contestants may be drawn, a set of {size} needs more.")
    weights = np.ones(count) if weight is None else np.asarray(weight, dtype=np.float64)
    is_floor = bool(rng.random() < distribution.epsilon)
    members = _uniform(count, size, rng) if is_floor else _learned(distribution, size, weights, rng)
    return DrawnSet(members, set_probability(distribution, members, weight=weight), is_floor)


def set_probability(distribution: PairDistribution, members: Sequence[int], *, weight: Floats | None = None) -> float:
    """Of drawing this unordered set of positions, see `draw_set`."""
    count, size = distribution.count, len(members)
    weights = np.ones(count) if weight is None else np.asarray(weight, dtype=np.float64)
    learned = 0.0
    if distribution.epsilon < 1.0:
        for pair in combinations(sorted(members), 2):
            others = [each for each in members if each not in pair]
            learned += _chance(distribution, *pair) * _rest(weights, pair, others)
    return min(distribution.epsilon / comb(count, size) + (1.0 - distribution.epsilon) * learned, 1.0)


def _uniform(count: int, size: int, rng: np.random.Generator) -> tuple[int, ...]:
    left = list(range(count))
    drawn = [left.pop(min(int(rng.random() * len(left)), len(left) - 1)) for _turn in range(size)]
    return tuple(sorted(drawn))


def _learned(distribution: PairDistribution, size: int, weights: Floats, rng: np.random.Generator) -> tuple[int, ...]:
    place = drawn_place(distribution.chance, rng)
    members = [int(distribution.pairs.first[place]), int(distribution.pairs.second[place])]
    left = weights.copy()
    left[members] = 0.0
    while len(members) < size:
        members.append(drawn_place(left, rng))
        left[members[-1]] = 0.0
    return tuple(sorted(members))


def _chance(distribution: PairDistribution, first: int, second: int) -> float:
    one, other = distribution.pairs.first, distribution.pairs.second
    found = ((one == first) & (other == second)) | ((one == second) & (other == first))
    return float(distribution.chance[found].sum())


def _rest(weights: Floats, pair: tuple[int, int], others: Sequence[int]) -> float:
    """q: over every order in which the others may have followed the pair."""
    whole_left = float(np.delete(weights, pair).sum())
    total = 0.0
    for order in permutations(others):
        left, chance = whole_left, 1.0
        for each in order:
            chance *= float(weights[each]) / left
            left -= float(weights[each])
        total += chance
    return total
