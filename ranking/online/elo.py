"""Elo's online ratings: quick to explain, but the order of the log moves them; not a board's headline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, isfinite, nan

import numpy as np

from ..arrays import Floats
from ..comparisons import Comparisons
from ..counts import BothBad
from ..errors import BadParameter, NoComparisons
from ..strengths import POINTS_AT_ZERO, POINTS_PER_LOGIT

# Rows that are plain Python lists at a time: the pass over five million votes adds a few megabytes, not hundreds.
BLOCK = 1 << 16


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
    the mean of that many passes over permuted rows, which needs `rng`; its Monte Carlo error is
    spread/√shuffles. Raises NoComparisons, BadParameter.
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
    """(M,) points. In logits, winner first: y - E is then 1/(1 + e^(R_winner - R_loser)), less a half for a tie."""
    ratings = [0.0] * comparisons.count
    step = k / POINTS_PER_LOGIT
    if comparisons.weight is None:
        for winners, losers, offsets in _blocks(comparisons, step):
            for winner, loser, offset in zip(winners, losers, offsets, strict=True):
                high, low = ratings[winner], ratings[loser]
                change = step / (1.0 + exp(high - low)) - offset
                ratings[winner] = high + change
                ratings[loser] = low - change
    else:
        weights = iter(comparisons.weight)
        for winners, losers, offsets in _blocks(comparisons, step):
            for winner, loser, offset in zip(winners, losers, offsets, strict=True):
                change = float(next(weights)) * (step / (1.0 + exp(ratings[winner] - ratings[loser])) - offset)
                ratings[winner] += change
                ratings[loser] -= change
    return POINTS_AT_ZERO + POINTS_PER_LOGIT * np.array(ratings)


def _blocks(comparisons: Comparisons, step: float) -> Iterator[tuple[list[int], list[int], list[float]]]:
    """Winners, losers (A and B of a tie), and step/2 for ties, as lists: scalars of numpy cost several times more."""
    for begin in range(0, len(comparisons), BLOCK):
        rows = slice(begin, begin + BLOCK)
        a, b, outcome = comparisons.a[rows], comparisons.b[rows], comparisons.outcome[rows]
        lost = outcome == 0.0
        offset = np.where(outcome == 0.5, 0.5 * step, 0.0)
        yield np.where(lost, b, a).tolist(), np.where(lost, a, b).tolist(), offset.tolist()


def _masked(values: Floats, comparisons: Comparisons) -> Floats:
    seen = np.zeros(comparisons.count, dtype=bool)
    seen[comparisons.a] = True
    seen[comparisons.b] = True
    return np.where(seen, values, nan)
