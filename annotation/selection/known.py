"""What selection knows of one campaign, as it is kept between processes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

import numpy as np

from annotation.ratings import Bools
from ranking import SelectionState

Pair = tuple[int, int]
# Arrays that make up a state; what else it holds follows from them.
KEPT = ("names", "wins", "outstanding", "mean", "covariance")


@dataclass(frozen=True, eq=False)
class Known:
    """A fitted state of the contestants, and which pairs of them have an open slot."""

    state: SelectionState
    open_pairs: Bools  # (M, M) symmetric, in the state's order

    @classmethod
    def learned(
        cls, *, wins: Mapping[Pair, float], outstanding: Mapping[Pair, int], open_pairs: Iterable[Pair]
    ) -> Known:
        """From wins of the first over the second, half a tie for either; pairs by contestants' ids. Fitted."""
        opened = list(open_pairs)
        names = sorted({name for pair in (*wins, *outstanding, *opened) for name in pair})
        place = {name: position for position, name in enumerate(names)}
        table = np.zeros((len(names), len(names)))
        for (first, second), number in wins.items():
            table[place[first], place[second]] += number
        state = SelectionState.restored(names, table) if names else SelectionState()
        still_open = np.zeros((len(names), len(names)), dtype=np.bool_)
        for first, second in opened:
            still_open[place[first], place[second]] = still_open[place[second], place[first]] = True
        for (first, second), number in outstanding.items():
            state.outstanding[place[first], place[second]] += number
            state.outstanding[place[second], place[first]] += number
        return cls(state, still_open)

    def without(self, pairs: Iterable[Pair]) -> Known:
        """The same, those pairs not open."""
        left = self.open_pairs.copy()
        for pair in pairs:
            first, second = self.state.rows_of(pair)
            left[first, second] = left[second, first] = False
        return Known(self.state, left)

    def packed(self) -> bytes:
        buffer = BytesIO()
        numbers = np.array([self.state.prior_variance, self.state.pair_variance])
        arrays = {name: getattr(self.state, name) for name in KEPT}
        np.savez(buffer, open_pairs=self.open_pairs, numbers=numbers, **arrays)
        return buffer.getvalue()

    @classmethod
    def unpacked(cls, payload: bytes) -> Known:
        with np.load(BytesIO(payload), allow_pickle=False) as kept:
            state = SelectionState.of(kept["names"].tolist())
            state.wins, state.outstanding = kept["wins"], kept["outstanding"]
            state.mean, state.covariance = kept["mean"], kept["covariance"]
            state.prior_variance, state.pair_variance = (float(number) for number in kept["numbers"])
            state.met = state.wins + state.wins.T
            state.battles = state.met.sum(axis=1)
            state.votes = state.votes_at_refit = round(float(state.wins.sum()))
            return cls(state, kept["open_pairs"])


class HeldKnown:
    """The newest of each campaign, and of each of its categories, that this process has unpacked."""

    AT_MOST = 64

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[str, Known]] = {}

    def digest_of(self, campaign: Hashable) -> str:
        """Empty where nothing is held."""
        return self._held[campaign][0] if campaign in self._held else ""

    def after(self, campaign: Hashable, digest: str | None, payload: bytes | memoryview | None) -> Known | None:
        """What is known, from the current digest and, where it differs from the one held, the payload."""
        if digest is None:
            return None
        if payload is None:  # as held; or another thread has just let go of it, and this claim does without
            return self._held[campaign][1] if campaign in self._held else None
        if len(self._held) >= self.AT_MOST:
            self._held.clear()
        known = Known.unpacked(bytes(payload))
        self._held[campaign] = (digest, known)
        return known


HELD = HeldKnown()


def digest_of(payload: bytes) -> str:
    return sha256(payload).hexdigest()
