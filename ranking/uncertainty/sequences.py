"""Intervals that may be looked at after every vote.

A fixed 95 % interval watched as votes come in separates equals 40 to 76 % of the time. A confidence sequence holds at
all times at once, so one may stop, or go on, because of what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from scipy.special import betaln, xlog1py, xlogy

from ..arrays import Floats
from ..comparisons import check_weights
from ..errors import BadParameter, ShapeMismatch
from ..options import checked
from ..ranks import Family, RankRanges, family_size, ranges_beyond
from ..strengths import StrengthFit

# Tightest where the variance of a difference is about ρ/8; .25 is a standard error of .18 logits, or 31 points.
RHO = 0.25
# Halvings of an interval of probabilities: below 1e-15.
HALVINGS = 50


@checked
def always_valid_margin(variance: Floats, level: float = 0.95, rho: float = RHO) -> Floats:
    """How far an estimate of this variance v must lie from a value for it to be outside the confidence sequence.

    √(v(v + ρ)/ρ · ln((v + ρ)/(v·α²))): the normal mixture over effects of variance ρ (Robbins 1970, "Statistical
    methods related to the law of the iterated logarithm", Ann. Math. Stat. 41; asymptotic for estimates, Waudby-Smith
    et al. 2024, Ann. Stat. 52). It holds for Bradley-Terry differences as votes come in, by the normal approximation:
    from about 20 votes a contestant. Infinite where v is. Raises BadParameter.
    """
    alpha = _alpha(level)
    if not (isfinite(rho) and rho > 0.0):
        raise BadParameter(f"rho is {rho}; give a positive variance.")
    known = np.where(np.isfinite(variance) & (variance > 0.0), variance, 1.0)
    margin = np.sqrt(known * (known + rho) / rho * np.log((known + rho) / (known * alpha**2)))
    return np.asarray(np.where(variance == 0.0, 0.0, np.where(np.isfinite(variance), margin, np.inf)))


@checked
def separating_variance(gap: Floats, level: float = 0.95, rho: float = RHO) -> Floats:
    """The largest variance of an estimate at which `always_valid_margin` is no more than |gap|; 0 where gap is 0.

    The margin grows with the variance, so it is found by halving. With votes spread as so far a variance shrinks as
    their number grows: how many more separate a pair, if its gap is as estimated, follows from it. NaN for NaN. Raises
    BadParameter.
    """
    wanted = np.abs(np.asarray(gap, dtype=np.float64))
    # A margin is never below √(v·ln(1/α²)), so no variance above this bound can do.
    high = np.where(np.isfinite(wanted), wanted**2 / np.log(_alpha(level) ** -2), np.nan)
    low = np.zeros_like(high)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        enough = always_valid_margin(middle, level, rho) <= wanted
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return np.asarray(np.where(np.isnan(wanted), np.nan, low))


@checked
def watched_ranges(
    fit: StrengthFit, *, level: float = 0.95, family: Family = Family.BOARD, rho: float = RHO
) -> RankRanges:
    """`rank_ranges` that may be read after every vote; with BOARD no pair is ever claimed wrongly, at `level`.

    Raises BadParameter.
    """
    count = family_size(family, int(fit.evidence.present.sum()))
    each = 1.0 - _alpha(level) / max(count, 1)
    return ranges_beyond(fit, always_valid_margin(fit.difference_variance(), each, rho), level, family)


@dataclass(frozen=True, eq=False)
class PairSequence:
    """Bounds of a probability that hold at all times at once."""

    lower: Floats  # (...)
    upper: Floats  # (...)
    level: float


@checked
def pair_sequence(wins: Floats, losses: Floats, *, level: float = 0.95, spread: float = 0.5) -> PairSequence:
    """P(one is preferred over the other | one is) from decisive votes of a pair, or of arrays of pairs (...).

    All p whose likelihood is more than α of its average over Beta(spread, spread) (Robbins 1970; Ville's inequality):
    exact for any number of votes and however the pair was chosen, as long as its votes are independent with one p.
    Raises ShapeMismatch, BadWeight, BadParameter.
    """
    alpha = _alpha(level)
    if not (isfinite(spread) and spread > 0.0):
        raise BadParameter(f"spread is {spread}; give a positive number.")
    won, lost = np.asarray(wins, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if won.shape != lost.shape:
        raise ShapeMismatch(f"wins has shape {won.shape} and losses {lost.shape}; give one of each per pair.")
    check_weights("wins", np.atleast_1d(won))
    check_weights("losses", np.atleast_1d(lost))
    least = betaln(won + spread, lost + spread) - betaln(spread, spread) + np.log(alpha)
    total = won + lost
    best = np.divide(won, total, out=np.full(won.shape, 0.5), where=total > 0)

    def crossing(outside: Floats) -> Floats:
        inside = best
        for _ in range(HALVINGS):
            middle = 0.5 * (outside + inside)
            kept = xlogy(won, middle) + xlog1py(lost, -middle) > least
            inside, outside = np.where(kept, middle, inside), np.where(kept, outside, middle)
        return np.asarray(outside)

    return PairSequence(crossing(np.zeros(won.shape)), crossing(np.ones(won.shape)), level)


def _alpha(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise BadParameter(f"level is {level}; give a probability such as 0.95.")
    return 1.0 - level
