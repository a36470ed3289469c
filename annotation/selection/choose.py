from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.errors import AnnotationError
from annotation.selection.draws import PAIR, stream
from ranking import Candidates, UniformPolicy

POLICIES = {"uniform": UniformPolicy}


class UnknownPolicy(AnnotationError):
    """The campaign names a selection policy that this version does not have."""


@dataclass(frozen=True)
class Candidate:
    """A contestant that may be drawn, by its id, with its sampling weight."""

    contestant: int
    weight: float = 1.0


@dataclass(frozen=True)
class Selection:
    """A drawn pair with the exact probability of this unordered pair, and all it takes to draw it again."""

    pair: tuple[int, int]
    probability: float
    floor: bool
    candidate_count: int
    candidate_digest: str
    policy: str
    version: str
    parameters: dict[str, Any]


def choose(*, policy: str, parameters: Mapping[str, Any], candidates: Sequence[Candidate], seed: int) -> Selection:
    """Draw a pair of candidates by the campaign's policy. The same seed and candidates draw the same pair.

    Raises UnknownPolicy, and what `ranking.Candidates` refuses (fewer than two, a negative weight).
    """
    if policy not in POLICIES:
        raise UnknownPolicy(f"{policy!r} is not one of {', '.join(sorted(POLICIES))}")
    weights = np.array([candidate.weight for candidate in candidates], dtype=np.float64)
    equal = bool(np.all(weights == weights[0])) if len(weights) else True
    active = Candidates(np.array([c.contestant for c in candidates], dtype=np.int64), None if equal else weights)
    choice = POLICIES[policy](**parameters).choose(None, active, stream(seed, PAIR))
    unequal = {} if equal else {str(c.contestant): c.weight for c in candidates}
    return Selection(
        pair=choice.pair,
        probability=choice.p_pair,
        floor=choice.floor,
        candidate_count=choice.candidates,
        candidate_digest=choice.candidates_digest,
        policy=choice.policy,
        version=choice.version,
        parameters={**choice.parameters, **({"weights": unequal} if unequal else {})},
    )
