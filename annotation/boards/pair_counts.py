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


@dataclass(frozen=True, eq=False)
class WholeCounts:
    """The counts of all pairs of a board's contestants, as a fit reads them."""

    ids: Ints  # (M,) ascending
    planes: Floats  # (4, M, M) in the order of PLANES; never fewer than two wide, as a fit wants to hear it

    @classmethod
    def of(cls, counts: PairCounts) -> "WholeCounts":
        ids = np.unique(np.concatenate((counts.a, counts.b)))
        planes: Floats = np.zeros((len(PLANES), max(2, len(ids)), max(2, len(ids))))
        planes[:, np.searchsorted(ids, counts.a), np.searchsorted(ids, counts.b)] = counts.counts.T
        return cls(ids, planes)

    def plus(self, change: PairCounts) -> "WholeCounts | None":
        """With a change added; None where somebody comes with it or goes, so that the ids are others."""
        if not np.isin(np.concatenate((change.a, change.b)), self.ids).all():
            return None
        planes = self.planes.copy()
        planes[:, np.searchsorted(self.ids, change.a), np.searchsorted(self.ids, change.b)] += change.counts.T
        met = planes.sum(axis=0)
        stays = (met.sum(axis=0) + met.sum(axis=1) > 0)[: len(self.ids)].all()
        return WholeCounts(self.ids, planes) if stays else None

    @property
    def comparisons(self) -> int:
        return int(self.planes.sum())

    @property
    def counts(self) -> Counts:
        return Counts(**dict(zip(PLANES, self.planes, strict=True)))

    def points(self, method: str) -> dict[int, float]:
        """Those that a full fit of the same votes gives, by contestant's id; who has no comparison has none."""
        try:
            strength = bradley_terry_strengths(self.counts, both_bad=BOTH_BAD[Method(method)])
        except NoComparisons:
            return {}
        points = POINTS_AT_ZERO + POINTS_PER_LOGIT * strength[: len(self.ids)]
        return {int(pk): float(value) for pk, value in zip(self.ids, points, strict=True) if np.isfinite(value)}


def dense(counts: PairCounts) -> tuple[Ints, Counts]:
    """Ids ascending (M,), and the counts of all pairs of them."""
    whole = WholeCounts.of(counts)
    return whole.ids, whole.counts


def differs(points: Mapping[int, float], entries: list[dict[str, Any]], *, tolerance: float) -> bool:
    """Whether they are others than the ratings of a fit, whose entries are a snapshot's."""
    fitted = {entry["contestant"]: entry["rating"] for entry in entries if entry["rating"] is not None}
    return points.keys() != fitted.keys() or any(abs(points[pk] - fitted[pk]) > tolerance for pk in points)
