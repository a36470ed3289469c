"""Elo's online ratings: quick to explain, but the order of the log moves them; not a board's headline."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np

from .arrays import Floats
from .comparisons import Comparisons
from .counts import BothBad
from .errors import BadParameter, NoComparisons
from .strengths import POINTS_AT_ZERO


@dataclass(frozen=True, eq=False)
class EloRatings:
    """Ratings after one pass, or their mean over passes in random order."""

    points: Floats  # (M,) NaN without a comparison
    spread: Floats | None  # (M,) standard deviation between shuffled passes: what order alone does
    k: float
    shuffles: int  # 0 = one pass in the order of the rows


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
    the mean of that many passes over permuted rows, which needs `rng`. Raises NoComparisons, BadParameter.
    """
    if not (isfinite(k) and k > 0.0):
        raise BadParameter(f"k is {k}; give a positive number of points.")
    if shuffles < 0 or (shuffles and rng is None):
        raise BadParameter(f"shuffles is {shuffles}; give 0, or a positive number and an rng.")
    used = comparisons
    if both_bad is BothBad.LEAVE_OUT and comparisons.both_bad is not None:
        used = comparisons.select(~comparisons.both_bad)
    if not len(used):
        raise NoComparisons("No comparison is left to rate; collect votes, or count both_bad as half.")
    if rng is None or not shuffles:
        return EloRatings(_masked(_one_pass(used, k), used), None, k, 0)
    passes = np.array([_one_pass(used.select(rng.permutation(len(used))), k) for _ in range(shuffles)])
    spread = passes.std(axis=0, ddof=1) if shuffles > 1 else np.full(used.count, nan)
    return EloRatings(_masked(passes.mean(axis=0), used), _masked(spread, used), k, shuffles)


def _one_pass(comparisons: Comparisons, k: float) -> Floats:
    ratings = [POINTS_AT_ZERO] * comparisons.count
    weight = np.ones(len(comparisons)) if comparisons.weight is None else comparisons.weight
    steps = (k * weight).tolist()
    # Plain lists: indexing numpy scalars one by one costs several times the arithmetic.
    for a, b, outcome, step in zip(
        comparisons.a.tolist(), comparisons.b.tolist(), comparisons.outcome.tolist(), steps, strict=True
    ):
        change = step * (outcome - 1.0 / (1.0 + 10.0 ** ((ratings[b] - ratings[a]) / 400.0)))
        ratings[a] += change
        ratings[b] -= change
    return np.array(ratings)


def _masked(values: Floats, comparisons: Comparisons) -> Floats:
    seen = np.zeros(comparisons.count, dtype=bool)
    seen[comparisons.a] = True
    seen[comparisons.b] = True
    return np.where(seen, values, nan)
