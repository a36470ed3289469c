from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.errors import AnnotationError
from annotation.ratings import Bools, Ints
from annotation.selection.draws import PAIR, stream
from annotation.selection.newcomers import NewcomerCap, choose_capped, choose_capped_several
from ranking import (
    ArenaRulePolicy,
    BalancedPolicy,
    Candidates,
    Choice,
    DOptimalPolicy,
    DoubleThompsonPolicy,
    Policy,
    RobustPolicy,
    SelectionState,
    SetChoice,
    UniformPolicy,
    certification_policy,
    choose_set,
)

POLICIES: dict[str, Callable[..., Policy[Any]]] = {
    "uniform": UniformPolicy,
    "balanced": BalancedPolicy,
    "robust": RobustPolicy,
    "certification": certification_policy,
    "double_thompson": DoubleThompsonPolicy,
    "d_optimal": DOptimalPolicy,
    "arena_rule": ArenaRulePolicy,
}


class UnknownPolicy(AnnotationError):
    """The campaign names a selection policy that this version does not have."""


@dataclass(frozen=True)
class Candidate:
    """A contestant that may be drawn, by its id, with its sampling weight."""

    contestant: int
    weight: float = 1.0


@dataclass(frozen=True)
class Selection:
    """Drawn contestants with the exact probability of this unordered pair or set, and all it takes to draw it again."""

    contestants: tuple[int, ...]  # ascending
    probability: float
    floor: bool
    candidate_count: int
    candidate_digest: str
    policy: str
    version: str
    parameters: dict[str, Any]
    outstanding: int | None = None  # questions about any pair that were out, where the state knows

    @property
    def pair(self) -> tuple[int, int]:
        """ValueError where more than two were drawn."""
        low, high = self.contestants
        return low, high


def choose(
    *,
    policy: str,
    parameters: Mapping[str, Any],
    candidates: Sequence[Candidate],
    seed: int,
    state: SelectionState | None = None,
    open_pairs: Bools | None = None,
    attempt: int = 0,
    count: int = 2,
    cap: NewcomerCap | None = None,
) -> Selection:
    """Draw a pair of candidates by the campaign's policy. The same seed, candidates, state and attempt draw the same.

    Without `state` nobody has met anybody; candidates that it does not hold have met nobody. `open_pairs` (n, n) are
    those that may be drawn, in the candidates' order. Each further `attempt` has a stream of its own. With a `count`
    above two the others are drawn beside the policy's pair, and the probability is that of the set: see
    `ranking.draw_set`. `cap` holds pairs, and sets of up to four, with newcomers in them to a share.

    Raises UnknownPolicy, and what `ranking.Candidates` and `ranking.choose_set` refuse (fewer than `count`, a negative
    weight, no open pair).
    """
    if policy not in POLICIES:
        raise UnknownPolicy(f"{policy!r} is not one of {', '.join(sorted(POLICIES))}")
    weights = np.array([candidate.weight for candidate in candidates], dtype=np.float64)
    equal = bool(np.all(weights == weights[0])) if len(weights) else True
    names = np.array([candidate.contestant for candidate in candidates], dtype=np.int64)
    active = Candidates(names, None if equal else weights, open_pairs)
    learned = with_everybody(state, names)
    drawn = _drawn(POLICIES[policy](**parameters), learned, active, seed, attempt, count, cap)
    unequal = {} if equal else {"weights": {str(c.contestant): c.weight for c in candidates}}
    return replace(
        drawn,
        parameters=drawn.parameters | unequal,
        outstanding=None if state is None else round(float(state.outstanding.sum()) / 2),
    )


def _drawn(
    policy: Any,
    state: SelectionState,
    active: Candidates,
    seed: int,
    attempt: int,
    count: int,
    cap: NewcomerCap | None,
) -> Selection:
    rng = stream(seed, PAIR, attempt)
    size: dict[str, Any] = {}
    capped_by = {"newcomers": sorted(cap.newcomers), "newcomer_share": cap.share} if cap else {}
    if count > 2:
        if cap:
            several = choose_capped_several(policy, state, active, cap, seed, attempt, count)
        else:
            several = choose_set(policy, state, active, rng, count)
        members, probability = several.members, several.p_set
        made: Choice | SetChoice = several
        size = {"contestants": count, **capped_by}
    else:
        capped = choose_capped(policy, state, active, cap, seed, attempt) if cap else None
        made = pair = capped or policy.choose(state, active, rng)
        members, probability = pair.pair, pair.p_pair
        size = capped_by
    return Selection(
        contestants=members,
        probability=probability,
        floor=made.floor,
        candidate_count=made.candidates,
        candidate_digest=made.candidates_digest,
        policy=made.policy,
        version=made.version,
        parameters={**made.parameters, **size},
    )


def with_everybody(state: SelectionState | None, names: Ints) -> SelectionState:
    """A state that holds all of these names; the given one is not changed."""
    if state is None:
        return SelectionState.of(names.tolist())
    new = [name for name in names.tolist() if name not in set(state.names.tolist())]
    if new:
        state = state.copy()
        for name in new:
            state.enter(name)
    return state
