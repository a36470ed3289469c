"""The order of the contestants: Bradley-Terry points, intervals, ranks, and what was counted for them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.enums import Method
from annotation.ratings import BOTH_BAD, Bools, Floats, Ints, PairRows
from ranking import (
    POINTS_AT_ZERO,
    NoComparisons,
    Note,
    StrengthFit,
    count_matrix,
    fit_bradley_terry,
    rank_ranges,
    win_rates,
)

LEVEL = 0.95
SCALE = {"centre": POINTS_AT_ZERO, "points_per_factor_of_ten": 400.0, "gauge": "battles", "level": LEVEL}


@dataclass(frozen=True, eq=False)
class Ranks:
    """Ranks within each contestant's own group, 0 where there is none."""

    group: Ints  # (M,) 1 is the largest group, 0 without a vote
    rank: Ints  # (M,)
    low: Ints  # (M,) best rank that the data allow
    high: Ints  # (M,) worst


@dataclass(frozen=True, eq=False)
class Order:
    """What the votes say about each contestant, and how it was found out."""

    columns: dict[str, list[Any]]  # each (M,)
    details: dict[str, Any]
    notes: list[str]
    reason: str | None  # why there are no ratings


def fit_order(pairs: PairRows, method: str) -> Order:
    """Counts of every contestant and, where any vote compares two of them, ratings and ranks."""
    comparisons = pairs.comparisons(method)
    counts = count_matrix(comparisons)
    rates = win_rates(counts, BOTH_BAD[Method(method)])
    wins = counts.wins.sum(axis=1) - counts.wins.diagonal()
    columns = {
        "votes": pairs.per_contestant(pairs.fitted(method)),
        "wins": wins.astype(np.int64),
        "win_rate": rates.rate,
    }
    try:
        fit = fit_bradley_terry(comparisons, both_bad=BOTH_BAD[Method(method)])
    except NoComparisons:
        return Order(_listed(columns | unrated(pairs.count)), {}, [], "no_votes")
    return Order(_listed(columns | columns_of(fit)), details_of(fit), [note.value for note in fit.notes], None)


def columns_of(fit: StrengthFit) -> dict[str, Any]:
    """Ratings in points, and ranks."""
    ratings, ranks = fit.to_points(LEVEL), ranks_within_groups(fit)
    return {
        "rating": ratings.points,
        "lower": ratings.lower,
        "upper": ratings.upper,
        "provisional": fit.evidence.provisional | ~fit.evidence.present,
        "group": ranks.group,
        "rank": ranks.rank,
        "rank_low": ranks.low,
        "rank_high": ranks.high,
    }


def unrated(count: int) -> dict[str, Any]:
    nothing: Floats = np.full(count, np.nan)
    none: Ints = np.zeros(count, dtype=np.int64)
    everyone: Bools = np.ones(count, dtype=bool)
    return {
        **dict.fromkeys(("rating", "lower", "upper"), nothing),
        **dict.fromkeys(("group", "rank", "rank_low", "rank_high"), none),
        "provisional": everyone,
    }


def ranks_within_groups(fit: StrengthFit) -> Ranks:
    """Groups that never met have no common scale, so each is ranked by itself."""
    component, present = fit.evidence.component, fit.evidence.present
    sizes = np.bincount(component[present])
    # Largest first; of equal ones the one whose first contestant has the lower id.
    first = np.array([int(np.argmax(component == one)) for one in range(len(sizes))])
    place = np.empty(len(sizes), dtype=np.int64)
    place[np.lexsort((first, -sizes))] = np.arange(1, len(sizes) + 1)
    above = rank_ranges(fit, level=LEVEL).above
    together = (component[:, None] == component[None, :]) & present[:, None] & present[None, :]
    stronger = together & (fit.strength[None, :] > fit.strength[:, None])
    size = np.where(present, sizes[component], 0)
    return Ranks(
        group=np.where(present, place[component], 0),
        rank=np.where(present, 1 + stronger.sum(axis=1), 0),
        low=np.where(present, 1 + above.sum(axis=0), 0),
        high=np.where(present, size - above.sum(axis=1), 0),
    )


def details_of(fit: StrengthFit) -> dict[str, Any]:
    clustering = fit.clustering
    return {
        "covariance": clustering.kind.value,
        "people": clustering.annotators,
        "prompts": clustering.prompts,
        "degrees_of_freedom": clustering.degrees_of_freedom,
        "groups": int(fit.evidence.component.max()) + 1,
        "connected": Note.NOT_CONNECTED not in fit.notes,
    }


def _listed(columns: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: values.tolist() for name, values in columns.items()}
