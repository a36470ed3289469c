"""Elo's online ratings: quick to explain, but the order of the log moves them; not a board's headline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, nan, tanh

import numpy as np

from ..arrays import Floats
from ..comparisons import Comparisons
from ..counts import BothBad
from ..errors import BadParameter, NoComparisons
from ..options import checked
from ..strengths import POINTS_AT_ZERO, POINTS_PER_LOGIT

# Rows that are plain Python lists at a time: the pass over five million votes adds a few megabytes, not hundreds.
BLOCK = 1 << 14


@dataclass(frozen=True, eq=False)
class EloRatings:
    """Ratings after one pass, or their mean over passes in random order."""

    points: Floats  # (M,) NaN without a comparison with another
    spread: Floats | None  # (M,) standard deviation between shuffled passes: what order alone does
    k: float
    shuffles: int  # 0 = one pass in the order of the rows


@checked
def rate_elo(
    comparisons: Comparisons,
    *,
    k: float = 4.0,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    shuffles: int = 0,
    rng: np.random.Generator | None = None,
) -> EloRatings:
    """From 1000 points each, in the order of the rows: R_a += k·w·(y - E), R_b -= the same.

    E = 1/(1 + 10^((R_b - R_a)/400)) (Elo 1978, "The rating of chessplayers", section 1.4). With `shuffles`
    the mean of that many passes over permuted rows, which needs `rng`; its Monte Carlo error is
    spread/√shuffles. Raises NoComparisons, BadParameter.
    """
    if not (isfinite(k) and k > 0.0):
        raise BadParameter(f"k is {k}; give a positive number of points.")
    if shuffles < 0 or (shuffles and rng is None):
        raise BadParameter(f"shuffles is {shuffles}; give 0, or a positive number and an rng.")
    kept = comparisons.a != comparisons.b
    if both_bad is BothBad.LEAVE_OUT and comparisons.both_bad is not None:
        kept &= ~comparisons.both_bad
    used = comparisons if kept.all() else comparisons.select(kept)
    if not len(used):
        raise NoComparisons("No comparison is left to rate; collect votes, or count both_bad as half.")
    if rng is None or not shuffles:
        return EloRatings(_masked(_one_pass(used, k), used), None, k, 0)
    passes = np.array([_one_pass(used.select(rng.permutation(len(used))), k) for _ in range(shuffles)])
    spread = passes.std(axis=0, ddof=1) if shuffles > 1 else np.full(used.count, nan)
    return EloRatings(_masked(passes.mean(axis=0), used), _masked(spread, used), k, shuffles)


def _one_pass(comparisons: Comparisons, k: float) -> Floats:
    """(M,) points. In units of two logits, y - E = (y - ½) - ½·tanh(R_a - R_b)."""
    unit = 2.0 * POINTS_PER_LOGIT
    half, ratings = 0.5 * k / unit, [0.0] * comparisons.count
    for begin in range(0, len(comparisons), BLOCK):
        rows = slice(begin, begin + BLOCK)
        a, b = comparisons.a[rows].tolist(), comparisons.b[rows].tolist()
        gain = 2.0 * half * (comparisons.outcome[rows] - 0.5)
        if comparisons.weight is None:
            _walk(ratings, zip(a, b, gain.tolist(), strict=True), half)
        else:
            weight = comparisons.weight[rows]
            _walk_weighted(ratings, zip(a, b, (weight * gain).tolist(), (weight * half).tolist(), strict=True))
    return POINTS_AT_ZERO + unit * np.array(ratings)


def _walk(ratings: list[float], rows: Iterable[tuple[int, int, float]], half: float) -> None:
    """In place. Lists and floats throughout: scalars of numpy cost several times more."""
    for a, b, gain in rows:
        high, low = ratings[a], ratings[b]
        change = gain - half * tanh(high - low)
        ratings[a] = high + change
        ratings[b] = low - change


def _walk_weighted(ratings: list[float], rows: Iterable[tuple[int, int, float, float]]) -> None:
    for a, b, gain, half in rows:
        change = gain - half * tanh(ratings[a] - ratings[b])
        ratings[a] += change
        ratings[b] -= change


def _masked(values: Floats, comparisons: Comparisons) -> Floats:
    seen = np.zeros(comparisons.count, dtype=bool)
    seen[comparisons.a] = True
    seen[comparisons.b] = True
    return np.where(seen, values, nan)
