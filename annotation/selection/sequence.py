"""The pairs a claim goes through: one drawn by the policy, and those it falls back to where nothing is open for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from annotation.selection.choose import Candidate, Selection, choose
from annotation.selection.known import Known


def draw_sequence(*, policy: str, parameters: Mapping[str, Any], known: Known, seed: int) -> Iterator[Selection]:
    """Different pairs, each drawn as if those before it had no open slot: which is what it takes to get to it.

    The probability of each is therefore that of its draw among the pairs that were left. It ends with the open pairs.
    """
    candidates = [Candidate(name) for name in known.state.names.tolist()]
    left, attempt = known, 0
    while left.open_pairs.any():
        drawn = choose(
            policy=policy,
            parameters=parameters,
            candidates=candidates,
            seed=seed,
            state=left.state,
            open_pairs=left.open_pairs,
            attempt=attempt,
        )
        yield drawn
        left, attempt = left.without([drawn.pair]), attempt + 1
