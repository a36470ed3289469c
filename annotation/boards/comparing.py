"""Is one contestant of a board better than another? What may be said after every vote, however often one looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

import numpy as np

from annotation.boards.pair_counts import PairCounts, dense
from annotation.enums import Method
from annotation.ratings import BOTH_BAD
from ranking import (
    POINTS_PER_LOGIT,
    BradleyTerryFit,
    NoComparisons,
    NotConnected,
    always_valid_margin,
    fewest_votes_for_first,
    fit_bradley_terry,
    pair_sequence,
    probability_above,
    separating_variance,
)

LEVEL = 0.95
# Half-width of a 95 % interval in standard errors.
REACH = 1.959964


@dataclass(frozen=True)
class Direct:
    """Votes of battles between the two alone."""

    wins: int
    losses: int
    ties: int
    both_bad: int
    # Of those that preferred one: the share that preferred the first, and bounds that hold at all times at once.
    share: float | None
    lower: float
    upper: float


@dataclass(frozen=True)
class Apart:
    """How far apart the two are by all votes of the board, in points."""

    gap: float
    margin: float  # the gap is clear of zero where it is wider, however often one looked
    probability: float  # that the first is the better one
    # If the gap is as estimated: further votes until it is clear, all between the two, or over all as they came so far.
    direct_more: int | None
    spread_more: int | None

    @property
    def is_decided(self) -> bool:
        return abs(self.gap) > self.margin


@dataclass(frozen=True)
class PairAnswer:
    direct: Direct
    apart: Apart | None  # None where nothing joins the two


@dataclass(frozen=True)
class FirstPlace:
    """Without how few votes another contestant would be first."""

    first: int
    challenger: int
    votes: int
    share: float


def compare_pair(counts: PairCounts, method: str, one: int, other: int, *, inflation: float = 1.0) -> PairAnswer:
    """About two contestants by their ids. `inflation` is by what variances are wider than those of independent votes.

    Bradley-Terry on the counts; the margin is that of a confidence sequence (`ranking.always_valid_margin`).
    """
    ids, whole = dense(counts)
    direct = _direct(counts, one, other)
    places = np.searchsorted(ids, (one, other))
    try:
        fit = fit_bradley_terry(whole, both_bad=BOTH_BAD[Method(method)])
    except NoComparisons:
        return PairAnswer(direct, None)
    component = fit.evidence.component[places]
    if component[0] != component[1] or component[0] < 0:
        return PairAnswer(direct, None)
    return PairAnswer(direct, _apart(fit, int(places[0]), int(places[1]), inflation))


def first_place(counts: PairCounts, method: str) -> FirstPlace | None:
    """None where nobody is first, or no few votes make another so."""
    ids, whole = dense(counts)
    try:
        found = fewest_votes_for_first(whole, both_bad=BOTH_BAD[Method(method)])
    except (NoComparisons, NotConnected):
        return None
    if found is None:
        return None
    return FirstPlace(int(ids[found.first]), int(ids[found.challenger]), round(found.votes), found.share)


def inflation_of(entries: list[Mapping[str, Any]], counts: PairCounts, method: str, pair: tuple[int, int]) -> float:
    """By what a snapshot's intervals of a pair are wider than those of its counts, as variances, and at least 1: votes
    of one person, or about one prompt, vary together, which counts cannot tell.

    The larger of the two contestants', each corrected for the votes that came since.
    """
    ids, whole = dense(counts)
    now = np.zeros(whole.count)
    np.add.at(now, np.searchsorted(ids, counts.a), counts.counts.sum(axis=1))
    np.add.at(now, np.searchsorted(ids, counts.b), counts.counts.sum(axis=1))
    try:
        error = POINTS_PER_LOGIT * fit_bradley_terry(whole, both_bad=BOTH_BAD[Method(method)]).standard_error()
    except NoComparisons:
        return 1.0
    found = [1.0]
    for entry in entries:
        if entry["contestant"] not in pair or entry["lower"] is None or entry["upper"] is None:
            continue
        place = int(np.searchsorted(ids, entry["contestant"]))
        then = (entry["upper"] - entry["lower"]) / (2 * REACH)
        if error[place] > 0 and now[place] > 0:
            found.append(float((then / error[place]) ** 2 * entry["votes"] / now[place]))
    return max(found)


def _direct(counts: PairCounts, one: int, other: int) -> Direct:
    as_a = counts.counts[(counts.a == one) & (counts.b == other)].sum(axis=0)
    as_b = counts.counts[(counts.a == other) & (counts.b == one)].sum(axis=0)
    wins, losses = int(as_a[0] + as_b[1]), int(as_a[1] + as_b[0])
    bounds = pair_sequence(np.array(float(wins)), np.array(float(losses)), level=LEVEL)
    return Direct(
        wins=wins,
        losses=losses,
        ties=int(as_a[2] + as_b[2]),
        both_bad=int(as_a[3] + as_b[3]),
        share=wins / (wins + losses) if wins + losses else None,
        lower=float(bounds.lower),
        upper=float(bounds.upper),
    )


def _apart(fit: BradleyTerryFit, one: int, other: int, inflation: float) -> Apart:
    gap = float(fit.strength[one] - fit.strength[other])
    variance = float(fit.difference_variance()[one, other]) * inflation
    margin = float(always_valid_margin(np.array(variance), LEVEL))
    both = np.array([gap, 0.0]), np.array([[variance, 0.0], [0.0, 0.0]])
    enough = float(separating_variance(np.array(gap), LEVEL))
    direct = spread = None
    if abs(gap) > margin:
        direct = spread = 0
    elif enough > 0.0:
        chance = 1.0 / (1.0 + np.exp(-gap))
        direct = _count(inflation * (1.0 / enough - 1.0 / variance) / (chance * (1.0 - chance)))
        spread = _count(0.5 * float(fit.evidence.battles.sum()) * (variance / enough - 1.0))
    return Apart(
        gap=POINTS_PER_LOGIT * gap,
        margin=POINTS_PER_LOGIT * margin,
        probability=float(probability_above(*both)[0, 1]),
        direct_more=direct,
        spread_more=spread,
    )


def _count(votes: float) -> int | None:
    return ceil(votes) if isfinite(votes) else None
