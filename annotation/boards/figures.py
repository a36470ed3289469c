"""What the figures of a board show, from its standings and its counts of pairs. No database, no picture."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np

from annotation.boards.pair_counts import PairCounts
from annotation.enums import Method
from ranking import POINTS_PER_LOGIT, wilson

Entry = Mapping[str, Any]
# A share of fewer votes says nothing yet.
MIN_PAIR_VOTES = 5
MIN_SIDE_VOTES = 30


@dataclass(frozen=True)
class Pair:
    """Two contestants: what was said between them, and what the ratings say of them."""

    one: int  # ids
    other: int
    wins: int
    losses: int
    ties: int
    both_bad: int
    votes: int  # that count for the share
    observed: float | None  # that `one` won, ties half; None below MIN_PAIR_VOTES
    fitted: float | None  # None where they have no common scale

    @property
    def battles(self) -> int:
        return self.wins + self.losses + self.ties + self.both_bad


def pairs_of(entries: Sequence[Entry], counts: PairCounts, method: str) -> list[Pair]:
    """Every two contestants of a board of votes once, in the board's order.

    Fitted: 1 / (1 + 10^((r_other - r_one) / 400)) of their ratings in points, which is Bradley-Terry's.
    """
    said = _by_pair(counts)
    found = []
    for place, first in enumerate(entries):
        for second in entries[place + 1 :]:
            ids = first["contestant"], second["contestant"]
            wins, losses, ties, both_bad = said.get(ids, (0, 0, 0, 0))
            halves = ties + (both_bad if method == Method.BT_HALF else 0)
            votes = wins + losses + halves
            observed = (wins + halves / 2) / votes if votes >= MIN_PAIR_VOTES else None
            found.append(Pair(*ids, wins, losses, ties, both_bad, votes, observed, _fitted(first, second)))
    return found


def _by_pair(counts: PairCounts) -> dict[tuple[int, int], tuple[int, int, int, int]]:
    """Both ways round, whichever was shown first."""
    found: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for a, b, (a_wins, b_wins, ties, both_bad) in zip(
        counts.a.tolist(), counts.b.tolist(), counts.counts.tolist(), strict=True
    ):
        ways = {(a, b): (a_wins, b_wins, ties, both_bad), (b, a): (b_wins, a_wins, ties, both_bad)}
        for pair, each in ways.items():
            found[pair] = [one + other for one, other in zip(found[pair], each, strict=True)]
    return {pair: (each[0], each[1], each[2], each[3]) for pair, each in found.items()}


def _fitted(one: Entry, other: Entry) -> float | None:
    if one["rating"] is None or other["rating"] is None or one["group"] != other["group"]:
        return None
    # One logit at a time: numpy is slow for single numbers. Far apart enough the odds have no end.
    gap = min(700.0, (other["rating"] - one["rating"]) / POINTS_PER_LOGIT)
    return 1.0 / (1.0 + exp(gap))


@dataclass(frozen=True)
class Side:
    """How often the answer shown first was preferred, of votes that preferred one; with its Wilson interval."""

    contestant: int | None  # None for the whole board
    first: int
    decided: int
    ties: int
    share: float | None
    lower: float | None
    upper: float | None


def sides_of(counts: PairCounts, contestants: Sequence[int]) -> list[Side]:
    """The whole board, then each contestant's battles in the order given. Ties and "neither" count for no side."""
    found = [_side(None, counts, np.ones(len(counts), dtype=bool))]
    return found + [_side(pk, counts, (counts.a == pk) | (counts.b == pk)) for pk in contestants]


def _side(contestant: int | None, counts: PairCounts, rows: Any) -> Side:
    first, second, ties, _bad = (int(each) for each in counts.counts[rows].sum(axis=0))
    decided = first + second
    if not decided:
        return Side(contestant, 0, 0, ties, None, None, None)
    interval = wilson([float(first)], [float(decided)])
    ends = float(interval.share[0]), float(interval.lower[0]), float(interval.upper[0])
    return Side(contestant, first, decided, ties, *ends)


@dataclass(frozen=True)
class Priced:
    """What a contestant is worth beside what an answer of it costs."""

    contestant: int
    worth: float
    lower: float
    upper: float
    cost: float  # dollars
    answers: int
    in_front: bool  # no other is worth at least as much for at most as much, and one of both better


def priced_of(entries: Sequence[Entry], costs: Mapping[int, tuple[float, int]]) -> list[Priced]:
    """Those with both, the cheapest first. The front is Pareto's, of the estimates alone."""
    both = [each for each in entries if each["worth"] and each["contestant"] in costs]
    points = {each["contestant"]: (costs[each["contestant"]][0], each["worth"]["value"]) for each in both}
    found = [
        Priced(
            contestant=(pk := each["contestant"]),
            worth=each["worth"]["value"],
            lower=each["worth"]["lower"],
            upper=each["worth"]["upper"],
            cost=costs[pk][0],
            answers=costs[pk][1],
            in_front=not any(_beats(point, points[pk]) for point in points.values()),
        )
        for each in both
    ]
    return sorted(found, key=lambda each: (each.cost, -each.worth))


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@dataclass(frozen=True)
class Bin:
    """How many ratings lie from `low` up to below `high`; the last bin holds its end too."""

    low: float
    high: float
    count: int


def bins_of(entries: Sequence[Entry], edges: Sequence[float]) -> list[Bin]:
    """Of the largest group alone: ratings of different groups have no common scale."""
    ratings = [each["rating"] for each in entries if each["rating"] is not None and each["group"] == 1]
    counts, _edges = np.histogram(ratings, bins=np.array(edges))
    return [Bin(edges[place], edges[place + 1], int(count)) for place, count in enumerate(counts)]
