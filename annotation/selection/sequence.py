"""The pairs a claim goes through: one drawn by the policy, and those it falls back to where nothing is open for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotation.selection.choose import Candidate, Selection, choose
from annotation.selection.known import Known

# Draws before a claim takes whatever is open. Late in a campaign a person has met most of a pair's items.
ATTEMPTS = 4


def draw_sequence(*, policy: str, parameters: Mapping[str, Any], known: Known, seed: int) -> list[Selection]:
    """Different pairs, each drawn as if those before it had no open slot: which is what it takes to get to it.

    The probability of each is therefore that of its draw among the pairs that were left. Empty where no pair is open.
    """
    drawn: list[Selection] = []
    candidates = [Candidate(name) for name in known.state.names.tolist()]
    left = known
    while len(drawn) < ATTEMPTS and left.open_pairs.any():
        drawn.append(
            choose(
                policy=policy,
                parameters=parameters,
                candidates=candidates,
                seed=seed,
                state=left.state,
                open_pairs=left.open_pairs,
                attempt=len(drawn),
            )
        )
        left = left.without([drawn[-1].pair])
    return drawn
