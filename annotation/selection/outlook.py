"""Where the next questions go: the probability of every pair in the next draw, as `choose` would draw it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.ratings import Bools, Floats
from annotation.selection.choose import POLICIES, Candidate, UnknownPolicy, with_everybody
from annotation.selection.draws import PAIR, stream
from annotation.selection.newcomers import NewcomerCap, capped_parts
from ranking import POINTS_PER_LOGIT, Candidates, Policy, SelectionState

# A policy that scores a random few of many pairs, or draws by simulation, is asked so often, and the mean is shown.
LOOKS = 8


def pair_chances(
    *,
    policy: str,
    parameters: Mapping[str, Any],
    candidates: Sequence[Candidate],
    state: SelectionState | None = None,
    open_pairs: Bools | None = None,
    cap: NewcomerCap | None = None,
    looks: int = LOOKS,
) -> Floats:
    """(n, n) symmetric, in the candidates' order: the probability that the next draw is of this unordered pair.

    Exact for policies that score every pair; else the mean of `looks` draws' own probabilities. Of battles of several
    contestants it is that of the pair the others are drawn beside. Raises UnknownPolicy and what
    `ranking.Candidates` refuses.
    """
    if policy not in POLICIES:
        raise UnknownPolicy(f"{policy!r} is not one of {', '.join(sorted(POLICIES))}")
    names = np.array([each.contestant for each in candidates], dtype=np.int64)
    weights = np.array([each.weight for each in candidates], dtype=np.float64)
    active = Candidates(names, None if np.all(weights == weights[0]) else weights, open_pairs)
    learned = with_everybody(state, names)
    made = POLICIES[policy](**parameters)
    found = np.mean([_chances(made, learned, active, cap, seed) for seed in range(looks)], axis=0)
    whole = np.zeros((len(names), len(names)))
    place = np.flatnonzero(np.isin(names, active.drawable))
    # Candidates stand in ascending order of their ids there, and as they were given here.
    place = place[np.argsort(names[place])]
    whole[np.ix_(place, place)] = found
    return whole


@dataclass(frozen=True, eq=False)
class PairsKnown:
    """(n, n) each, of the contestants in the order they were named."""

    gap: Floats  # of the first over the second, in points of a board
    error: Floats  # standard error of it
    votes: Floats
    out: Floats  # questions that are asked now


def pairs_known(state: SelectionState, names: Sequence[int]) -> PairsKnown:
    """What a state, which holds all of these names, says of every two of them."""
    rows = state.rows_of(names)
    mean, spread = state.mean[rows], state.covariance[np.ix_(rows, rows)]
    own = np.diag(spread)
    variance = np.maximum(own[:, None] + own[None, :] - 2.0 * spread, 0.0)
    return PairsKnown(
        gap=POINTS_PER_LOGIT * (mean[:, None] - mean[None, :]),
        error=POINTS_PER_LOGIT * np.sqrt(variance),
        votes=state.met[np.ix_(rows, rows)],
        out=state.outstanding[np.ix_(rows, rows)],
    )


def _chances(
    policy: Policy[Any], state: SelectionState, active: Candidates, cap: NewcomerCap | None, seed: int
) -> Floats:
    parts = capped_parts(policy, state, active, cap, seed, 0) if cap else None
    if parts is None or cap is None:
        return _matrix(policy, state, active, seed)
    theirs, others = (_matrix(policy, state, part, seed) for part in parts)
    return cap.share * theirs + (1.0 - cap.share) * others


def _matrix(policy: Any, state: SelectionState, active: Candidates, seed: int) -> Floats:
    return np.asarray(policy.distribution(state, active, stream(seed, PAIR, 0)).matrix())
