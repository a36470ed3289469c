"""Policies that score pairs: balanced, the Chatbot Arena rule, weighted D-optimal, and RO sampled, the default.

Each draws from P(ij) = ε/|A| + (1 - ε)·(a/max a)^η / Σ over the active pairs A, so p_pair >= ε/|A| always. With more
than 60 active contestants, scores are computed for the pairs of `pairs_to_score`, a set drawn from the same seed; the
stated probability is then exact given that set, which leaves inverse-propensity weights unbiased: whatever the set,
they average to one over every pair.

Where the candidates say which pairs are open, A is those, and only they are scored. Contestants whose sampling weight
is zero are not active; other weights multiply the learned part by s_i·s_j.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf, isfinite

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..errors import BadParameter
from ..options import check_generator, checked
from . import scores
from .choice import Candidates, Choice, Parameter
from .formats import VOTES, AnswerFormat
from .pairs import DrawnPair, PairDistribution, Pairs, capped, check_epsilon, made, only_open, pairs_to_score, tempered
from .state import SelectionState

# A contestant with under a quarter of the median's votes counts as a newcomer.
NEWCOMER_SHARE_OF_MEDIAN = 0.25


@dataclass(frozen=True, eq=False)
class Scored:
    """What a score may look at: the active rows of the state, and k pairs of positions among them."""

    state: SelectionState
    rows: Ints  # (m,)
    pairs: Pairs

    @property
    def at(self) -> tuple[Ints, Ints]:
        """(k,), (k,) rows of the state."""
        return self.rows[self.pairs.first], self.rows[self.pairs.second]

    @property
    def difference(self) -> Floats:
        """(k,) Δ"""
        first, second = self.at
        return np.asarray(self.state.mean[first] - self.state.mean[second])

    @property
    def variance(self) -> Floats:
        """(k,) v, never below what rounding could have made of it."""
        first, second = self.at
        own = self.state.covariance.diagonal()
        return np.maximum(own[first] + own[second] - 2.0 * self.state.covariance[first, second], 1e-12)

    @property
    def met(self) -> Floats:
        """(k,) votes given or outstanding, N + N°"""
        return np.asarray(self.state.met[self.at] + self.state.outstanding[self.at])


@dataclass(frozen=True, kw_only=True)
class LearnedPolicy(ABC):
    """A policy that scores pairs. Subclasses say how; `eta` = inf takes the largest, ties shared."""

    name: str
    version: str = "1"
    epsilon: float = 0.1
    eta: float = inf

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)
        if not self.eta > 0.0:
            raise BadParameter(f"eta is {self.eta}; give a positive power, or infinity for the largest score only.")

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Every setting but the name and version; infinity as a word, which JSON can hold, a format as its own."""
        named = {each.name: getattr(self, each.name) for each in fields(self)[2:]}
        asked: AnswerFormat | None = named.pop("answer", None)
        words = {name: "inf" if value == inf else value for name, value in named.items()}
        return words if asked is None else words | dict(asked.parameters)

    @abstractmethod
    def score(self, seen: Scored) -> Floats:
        """(k,) logarithm of each pair's score a; +inf for pairs that go before all others."""

    def distribution(self, state: SelectionState, candidates: Candidates, rng: np.random.Generator) -> PairDistribution:
        """Over the active pairs, by position among `candidates.drawable`. Raises UnknownIndex, BadParameter."""
        check_generator(rng)
        rows = state.rows_of(candidates.drawable)
        among = None if candidates.open_pairs is None else candidates.open_among_drawable
        seen = Scored(state, rows, only_open(pairs_to_score(state.mean[rows], rng), among))
        score = self.score(seen)
        if candidates.weight is not None:
            weight = np.log(candidates.weight[candidates.weight > 0.0])
            power = self.eta if isfinite(self.eta) else 1.0
            score = score + (weight[seen.pairs.first] + weight[seen.pairs.second]) / power
        return PairDistribution(seen.pairs, self.chance(score, seen), self.epsilon, len(rows), among)

    def chance(self, score: Floats, seen: Scored) -> Floats:
        """(k,) the learned part, sums to one."""
        return tempered(score, self.eta)

    def choose(self, state: SelectionState, candidates: Candidates, rng: np.random.Generator) -> Choice:
        """A pair of the candidates, all of which must have entered `state`. Raises UnknownIndex."""
        drawn = self.distribution(state, candidates, rng).draw(rng)
        return made(self, candidates, drawn, rng)

    def choose_batch(
        self, state: SelectionState, candidates: Candidates, rng: np.random.Generator, size: int
    ) -> tuple[Choice, ...]:
        """`size` different pairs to show at once; each p_pair is conditional on the pairs before it in the batch."""
        distribution = self.distribution(state, candidates, rng)
        if not 1 <= size <= candidates.pairs:
            raise BadParameter(f"size is {size}; {candidates.pairs} pairs are active.")
        taken: dict[tuple[int, int], float] = {}
        batch: list[Choice] = []
        while len(batch) < size:
            drawn = distribution.draw(rng)
            if (drawn.first, drawn.second) in taken:
                continue
            left = 1.0 - sum(taken.values())
            taken[drawn.first, drawn.second] = drawn.probability
            given = DrawnPair(drawn.first, drawn.second, min(drawn.probability / left, 1.0), drawn.floor)
            batch.append(made(self, candidates, given, rng))
        return tuple(batch)


@dataclass(frozen=True, kw_only=True)
class BalancedPolicy(LearnedPolicy):
    """The pairs least often compared or outstanding, all alike."""

    name: str = "balanced"

    def score(self, seen: Scored) -> Floats:
        """-(N + N°)"""
        return -seen.met


@dataclass(frozen=True, kw_only=True)
class ArenaRulePolicy(LearnedPolicy):
    """The published sampling rule of Chatbot Arena (`scores.arena_rule`), in proportion to it.

    Every pair is wanted once before any other is wanted twice, so it needs about as many votes as uniform sampling.
    """

    name: str = "arena_rule"
    eta: float = 1.0

    def score(self, seen: Scored) -> Floats:
        """ln of equation 9 at N + N°"""
        first, second = seen.at
        return np.log(scores.arena_rule(seen.state.wins[first, second], seen.met))


@dataclass(frozen=True, kw_only=True)
class DOptimalPolicy(LearnedPolicy):
    """The pair whose vote is expected to shrink ln|Σ| most (`scores.d_optimal`), whatever the order says.

    The power of 64 stands for the largest score: it needed 7 % fewer votes than taking exactly that, and leaves
    probabilities that tell near-equals apart.
    """

    name: str = "d_optimal"
    eta: float = 64.0
    answer: AnswerFormat = VOTES  # what this annotator is asked for

    def score(self, seen: Scored) -> Floats:
        """ln(w·v)"""
        return scores.d_optimal(seen.difference, seen.variance, self.answer)


@dataclass(frozen=True, kw_only=True)
class RobustPolicy(LearnedPolicy):
    """RO sampled: order-aware, robust to misfit, randomised (`scores.order_aware`). The default of a leaderboard.

    `kappa` None lets the board's misfit decide between order and coverage; 0 is certification, see
    `certification_policy`. `newcomer_share` caps the draws of pairs with a contestant that has under a quarter of the
    median's votes; 1 lifts the cap. `cost_power` 1 asks for the most per unit of cost, 0 ignores costs. `answer` is
    the format and the annotator that the pair is chosen for: `replace(policy, answer=...)` for each.
    """

    name: str = "robust"
    eta: float = 8.0
    kappa: float | None = None
    newcomer_share: float = 0.5
    cost_power: float = 0.0
    answer: AnswerFormat = VOTES

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.newcomer_share <= 1.0:
            raise BadParameter(f"newcomer_share is {self.newcomer_share}; give a share above 0, 1 for no cap.")
        if self.kappa is not None and not self.kappa >= 0.0:
            raise BadParameter(f"kappa is {self.kappa}; give 0 or more, or None to let the misfit decide.")
        if not self.cost_power >= 0.0:
            raise BadParameter(f"cost_power is {self.cost_power}; give 0 to ignore costs, 1 for gain per cost.")

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """As the base; an undecided kappa as the word "misfit"."""
        found = dict(super().parameters)
        return found | {"kappa": "misfit" if self.kappa is None else self.kappa}

    def score(self, seen: Scored) -> Floats:
        """ln a - cost_power·ln(cost of the pair)"""
        misfit = seen.state.pair_variance
        kappa = scores.interest_in_order(misfit) if self.kappa is None else self.kappa
        score = scores.order_aware(seen.difference, seen.variance, seen.met, misfit, kappa, self.answer)
        if self.cost_power:
            first, second = seen.at
            score -= self.cost_power * np.log(seen.state.cost[first] + seen.state.cost[second])
        return score

    def chance(self, score: Floats, seen: Scored) -> Floats:
        """Tempered, newcomers capped."""
        new = newcomers(seen.state, seen.rows)
        if self.newcomer_share == 1.0 or not new.any():
            return tempered(score, self.eta)
        return capped(score, self.eta, new[seen.pairs.first] | new[seen.pairs.second], self.newcomer_share)


@checked
def certification_policy(*, epsilon: float = 0.1) -> RobustPolicy:
    """For "is A really above B?": κ = 0, so that pairs are still asked about once their order is clear.

    RO stops asking there: at a gap of .6 logits it certifies fewer claims with the same votes than uniform sampling.
    """
    return RobustPolicy(name="certification", epsilon=epsilon, kappa=0.0)


def newcomers(state: SelectionState, rows: Ints) -> Bools:
    """(m,) with under a quarter of the median votes of the active `rows` (m,)."""
    battles = state.battles[rows]
    return np.asarray(battles < NEWCOMER_SHARE_OF_MEDIAN * np.median(battles))
