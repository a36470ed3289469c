"""How few votes decide who is first.

Dropping one vote moves θ_i - θ_j, to the first order, by -cᵀH⁻¹s/(1 - h) with c = e_i - e_j, s its score and h its
leverage (Broderick, Giordano & Meager 2020, "An automatic finite-sample robustness metric", section 2; for preference
boards Huang et al. 2025, "Dropping just a handful of preferences can change top large language model rankings"). The
most influential are dropped first; the board is then fitted again without them, and more are dropped, or some given
back, until the exact fit has another contestant first and would not with one step less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints
from ..bradley_terry import BOARD_PRIOR
from ..comparisons import Comparisons
from ..connectivity import members
from ..counts import BothBad, Counts, count_matrix
from ..errors import BadParameter, NotConnected
from ..options import checked
from ..pair_likelihood import maximise, win_probability
from ..pair_table import PairTable, tabulate
from ..priors import Prior

# Challengers tried, nearest to the first place first: further ones need more votes still.
MOST_CHALLENGERS = 5


@dataclass(frozen=True, eq=False)
class DecisiveVotes:
    """Votes without which another contestant is first: an upper bound on the fewest, verified by an exact fit."""

    first: int
    challenger: int
    votes: float  # how many are dropped in all
    share: float  # of those that the fit uses
    winner: Ints  # (K,) kinds of votes dropped: the preferred contestant, the smaller number in a tie
    loser: Ints  # (K,)
    tie: Ints  # (K,) 1 where it is a tie
    count: Floats  # (K,) how many of the kind
    gap_before: float  # θ_first - θ_challenger with all votes, > 0
    gap_after: float  # without those, < 0


@dataclass(frozen=True, eq=False)
class _Kinds:
    """Votes by kind: everything with the same score."""

    winner: Ints  # (K,) of m
    loser: Ints  # (K,)
    tie: Ints  # (K,)
    count: Floats  # (K,)

    def credits(self, count: Floats) -> Floats:
        """(m, m) wins with half ties, of that many of each kind."""
        size = int(max(self.winner.max(), self.loser.max())) + 1
        wins = np.zeros((size, size))
        share = count * np.where(self.tie == 1, 0.5, 1.0)
        np.add.at(wins, (self.winner, self.loser), share)
        drawn = self.tie == 1
        np.add.at(wins, (self.loser[drawn], self.winner[drawn]), share[drawn])
        return wins


@checked
def fewest_votes_for_first(
    data: Comparisons | Counts,
    *,
    prior: Prior | None = BOARD_PRIOR,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    challengers: int = MOST_CHALLENGERS,
) -> DecisiveVotes | None:
    """The smallest set found whose removal puts another of the nearest `challengers` above the first.

    None if no removal of whole votes does: the challenger would have to lose every vote it has against the rest.
    Raises BadParameter, NoConvergence, NoComparisons, NotConnected: among groups that never met nobody is
    first. With prior=None the removal may leave no maximum.
    """
    if challengers < 1:
        raise BadParameter(f"challengers is {challengers}; give one or more.")
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    if not table.groups.connected:
        raise NotConnected(members(table.groups.weak, table.index))
    strength = maximise(table.credit, table.total, prior, None).point
    order = np.argsort(-strength, kind="stable")
    kinds = _kinds(table)
    found = [
        one
        for challenger in order[1 : 1 + challengers].tolist()
        if (one := _against(kinds, prior, strength, int(order[0]), challenger, table)) is not None
    ]
    return min(found, key=lambda one: one.votes, default=None)


def _kinds(table: PairTable) -> _Kinds:
    won, drawn = np.nonzero(table.wins), np.nonzero(np.triu(table.ties))
    return _Kinds(
        winner=np.concatenate((won[0], drawn[0])),
        loser=np.concatenate((won[1], drawn[1])),
        tie=np.repeat(np.array([0, 1]), (len(won[0]), len(drawn[0]))),
        count=np.concatenate((table.wins[won], table.ties[drawn])),
    )


def _against(
    kinds: _Kinds, prior: Prior | None, strength: Floats, first: int, challenger: int, table: PairTable
) -> DecisiveVotes | None:
    dropped = np.zeros(len(kinds.count))
    before = gap = float(strength[first] - strength[challenger])
    point, pair = strength, (first, challenger)
    while gap >= 0.0:
        effect = _effects(kinds, dropped, prior, point, pair)
        more = _next(effect, np.floor(kinds.count - dropped), gap)
        if not more.any():
            return None
        last, dropped = dropped, dropped + more
        point = _refitted(kinds, dropped, prior, point)
        gap = float(point[first] - point[challenger])
    dropped = _given_back(kinds, last, dropped, effect, prior, pair)
    point = _refitted(kinds, dropped, prior, point)
    some, index = dropped > 0, table.index
    return DecisiveVotes(
        first=int(index[first]),
        challenger=int(index[challenger]),
        votes=float(dropped.sum()),
        share=float(dropped.sum() / kinds.count.sum()),
        winner=index[kinds.winner[some]],
        loser=index[kinds.loser[some]],
        tie=kinds.tie[some],
        count=dropped[some],
        gap_before=before,
        gap_after=float(point[first] - point[challenger]),
    )


def _effects(kinds: _Kinds, dropped: Floats, prior: Prior | None, point: Floats, pair: tuple[int, int]) -> Floats:
    """(K,) by how much the gap falls, to the first order, if one vote of the kind is dropped."""
    wins = kinds.credits(kinds.count - dropped)
    inverse = maximise(wins.sum(axis=1), wins + wins.T, prior, point).inverse
    pull, own = inverse[pair[0]] - inverse[pair[1]], inverse.diagonal()
    chance = win_probability(point)[kinds.winner, kinds.loser]
    leverage = chance * (1.0 - chance)
    leverage *= own[kinds.winner] + own[kinds.loser] - 2.0 * inverse[kinds.winner, kinds.loser]
    score = np.where(kinds.tie == 1, 0.5, 1.0) - chance
    return np.asarray(score * (pull[kinds.winner] - pull[kinds.loser]) / np.maximum(1.0 - leverage, 0.1))


def _next(effect: Floats, left: Floats, gap: float) -> Floats:
    """(K,) votes to drop now: the most influential of those left, until the first-order gap is gone."""
    order = np.argsort(-effect, kind="stable")
    ordered = effect[order]
    useful = np.where(ordered > 0.0, left[order], 0.0)
    reached = np.cumsum(useful * ordered) - useful * ordered
    need = np.floor(np.maximum(gap - reached, 0.0) / np.where(ordered > 0.0, ordered, np.inf)) + 1.0
    more = np.zeros(len(order))
    more[order] = np.where(reached <= gap, np.minimum(useful, need), 0.0)
    return more


def _given_back(
    kinds: _Kinds, last: Floats, dropped: Floats, effect: Floats, prior: Prior | None, pair: tuple[int, int]
) -> Floats:
    """(K,) between `last`, which does not flip the first place, and `dropped`, which does: as few as do."""
    order = np.argsort(-effect, kind="stable")
    added = (dropped - last)[order]
    steps = np.cumsum(added) - added

    def upto(votes: int) -> Floats:
        part = last.copy()
        part[order] += np.clip(votes - steps, 0.0, added)
        return part

    low, high = 0, round(float(added.sum()))
    while high - low > 1:
        middle = (low + high) // 2
        point = _refitted(kinds, upto(middle), prior, None)
        low, high = (low, middle) if point[pair[0]] < point[pair[1]] else (middle, high)
    return upto(high)


def _refitted(kinds: _Kinds, dropped: Floats, prior: Prior | None, start: Floats | None) -> Floats:
    wins = kinds.credits(kinds.count - dropped)
    return maximise(wins.sum(axis=1), wins + wins.T, prior, start).point
