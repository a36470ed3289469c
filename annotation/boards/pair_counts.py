"""Who met whom on a board and what was said, as counts: all that the points of a Bradley-Terry board rest on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.enums import Method
from annotation.ratings import BOTH_BAD, Floats, Ints
from ranking import (
    POINTS_AT_ZERO,
    POINTS_PER_LOGIT,
    Counts,
    NoComparisons,
    bradley_terry_strengths,
)

# In the order of PairCount's columns.
PLANES = ("a_wins", "b_wins", "ties", "both_bad")


@dataclass(frozen=True, eq=False)
class PairCounts:
    """k pairs of contestants in the order in which they were shown, each once."""

    a: Ints  # (k,) id
    b: Ints  # (k,)
    counts: Ints  # (k, 4) in the order of PLANES

    def __len__(self) -> int:
        return len(self.a)

    def minus(self, other: "PairCounts") -> "PairCounts":
        """What is to be added where `self` came and `other` went; may be below zero."""
        pairs = np.stack((np.concatenate((self.a, other.a)), np.concatenate((self.b, other.b))))
        (a, b), place = np.unique(pairs, axis=1, return_inverse=True)
        sums: Ints = np.zeros((len(a), len(PLANES)), dtype=np.int64)
        np.add.at(sums, place.ravel(), np.concatenate((self.counts, -other.counts)))
        changed = sums.any(axis=1)
        return PairCounts(a[changed], b[changed], sums[changed])

    @property
    def comparisons(self) -> int:
        return int(self.counts.sum())


NOTHING = PairCounts(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, len(PLANES)), np.int64))


def dense(counts: PairCounts) -> tuple[Ints, Counts]:
    """Ids ascending (M,), and the counts of all pairs of them; never fewer than two, as a fit wants to hear it."""
    ids = np.unique(np.concatenate((counts.a, counts.b)))
    planes: Floats = np.zeros((len(PLANES), max(2, len(ids)), max(2, len(ids))))
    planes[:, np.searchsorted(ids, counts.a), np.searchsorted(ids, counts.b)] = counts.counts.T
    return ids, Counts(**dict(zip(PLANES, planes, strict=True)))


def points_of(counts: PairCounts, method: str) -> dict[int, float]:
    """The points that a full fit of the same votes gives, by contestant's id; those without a comparison have none."""
    ids, whole = dense(counts)
    try:
        strength = bradley_terry_strengths(whole, both_bad=BOTH_BAD[Method(method)])
    except NoComparisons:
        return {}
    points = POINTS_AT_ZERO + POINTS_PER_LOGIT * strength[: len(ids)]
    return {int(pk): float(value) for pk, value in zip(ids, points, strict=True) if np.isfinite(value)}


def differs(points: Mapping[int, float], entries: list[dict[str, Any]], *, tolerance: float) -> bool:
    """Whether they are others than the ratings of a fit, whose entries are a snapshot's."""
    fitted = {entry["contestant"]: entry["rating"] for entry in entries if entry["rating"] is not None}
    return points.keys() != fitted.keys() or any(abs(points[pk] - fitted[pk]) > tolerance for pk in points)
