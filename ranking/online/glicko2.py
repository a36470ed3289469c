"""Glicko-2: online ratings with a deviation and a volatility each, updated once per rating period.

Glickman 2012 (revised 2022), "Example of the Glicko-2 system", glicko.net. A period's games are taken at once,
so their order within it does not matter; the order of the periods does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Bools, Floats, Ints, floats
from ..comparisons import Comparisons
from ..counts import BothBad
from ..errors import BadParameter, NoComparisons, NoConvergence, ShapeMismatch, UnknownIndex
from ..options import checked
from ..strengths import POINTS_PER_LOGIT

START_POINTS, START_DEVIATION, START_VOLATILITY = 1500.0, 350.0, 0.06
TOLERANCE = 1e-6  # of ln σ², Glickman's ε
MOST_STEPS = 100


@dataclass(frozen=True, eq=False)
class Glicko2Ratings:
    """The state after the last period; also where a later call can go on from."""

    points: Floats  # (M,) 1500 for who has not played
    deviation: Floats  # (M,) RD in points: points ± 1.96·deviation hold the true rating in 95 % of cases
    volatility: Floats  # (M,) σ, expected change per period in logits
    played: Bools  # (M,) has met another contestant in some period

    @classmethod
    def of(cls, points: ArrayLike, deviation: ArrayLike, volatility: ArrayLike) -> Glicko2Ratings:
        """Known ratings to start from. Raises ShapeMismatch, BadParameter."""
        points, deviation = floats("points", points), floats("deviation", deviation)
        volatility = floats("volatility", volatility)
        if not (points.ndim == 1 and points.shape == deviation.shape == volatility.shape):
            shapes = f"{points.shape}, {deviation.shape} and {volatility.shape}"
            raise ShapeMismatch(f"points, deviation and volatility have shapes {shapes}; give one value each.")
        if not (np.isfinite(points).all() and (deviation > 0).all() and (volatility > 0).all()):
            raise BadParameter(
                "Give finite ratings, and deviations and volatilities positive, such as 1500, 350 and .06."
            )
        return cls(points, deviation, volatility, np.ones(len(points), dtype=bool))


@checked
def rate_glicko2(
    comparisons: Comparisons,
    *,
    period: Ints | None = None,
    start: Glicko2Ratings | None = None,
    tau: float = 0.5,
    both_bad: BothBad = BothBad.LEAVE_OUT,
) -> Glicko2Ratings:
    """One update per distinct `period` (n,), in ascending order; None takes all rows as one period.

    A number left out between two periods is a period without games: who has played before only grows less
    certain, φ² + σ². A tie is half a win; a weight multiplies a game. `tau` bounds how fast volatility may
    change, 0.3 to 1.2. Raises NoComparisons, ShapeMismatch, BadParameter, UnknownIndex, NoConvergence.
    """
    if not 0.0 < tau < 10.0:
        raise BadParameter(f"tau is {tau}; Glickman advises 0.3 to 1.2.")
    when = np.zeros(len(comparisons), dtype=np.int64) if period is None else np.asarray(period)
    if when.shape != comparisons.a.shape:
        raise ShapeMismatch(f"period has shape {when.shape}; give one number per comparison, {len(comparisons)}.")
    if when.size and when.dtype.kind not in "iu":
        raise UnknownIndex("period must hold integers; number days or weeks first.")
    state = _unrated(comparisons.count) if start is None else start
    if len(state.points) != comparisons.count:
        raise ShapeMismatch(f"start rates {len(state.points)} contestants; the comparisons have {comparisons.count}.")
    kept = comparisons.a != comparisons.b
    if both_bad is BothBad.LEAVE_OUT and comparisons.both_bad is not None:
        kept &= ~comparisons.both_bad
    if not kept.any():
        raise NoComparisons("No comparison is left to rate; collect votes, or count both_bad as half.")
    when, used = when[kept], comparisons.select(kept)
    order = np.argsort(when, kind="stable")
    periods, first = np.unique(when[order], return_index=True)
    idle = np.diff(periods, prepend=periods[0] - 1) - 1
    for rows, quiet in zip(np.split(order, first[1:]), idle, strict=True):
        state = _after_period(_after_rest(state, int(quiet)), used.select(rows), tau)
    return state


def _unrated(count: int) -> Glicko2Ratings:
    return Glicko2Ratings(
        np.full(count, START_POINTS),
        np.full(count, START_DEVIATION),
        np.full(count, START_VOLATILITY),
        np.zeros(count, dtype=bool),
    )


def _after_rest(state: Glicko2Ratings, periods: int) -> Glicko2Ratings:
    growth = np.where(state.played, periods * (POINTS_PER_LOGIT * state.volatility) ** 2, 0.0)
    return Glicko2Ratings(state.points, np.sqrt(state.deviation**2 + growth), state.volatility, state.played)


def _after_period(state: Glicko2Ratings, games: Comparisons, tau: float) -> Glicko2Ratings:
    """Steps 2 to 8 of the paper, for every contestant at once."""
    mean = (state.points - START_POINTS) / POINTS_PER_LOGIT
    spread = state.deviation / POINTS_PER_LOGIT
    me, them = np.concatenate((games.a, games.b)), np.concatenate((games.b, games.a))
    score = np.concatenate((games.outcome, 1.0 - games.outcome))
    weight = np.ones(len(me)) if games.weight is None else np.tile(games.weight, 2)
    blur = 1.0 / np.sqrt(1.0 + 3.0 * spread[them] ** 2 / pi**2)  # g(φ)
    chance = 1.0 / (1.0 + np.exp(-blur * (mean[me] - mean[them])))
    information = np.bincount(me, weight * blur**2 * chance * (1.0 - chance), games.count)
    surprise = np.bincount(me, weight * blur * (score - chance), games.count)
    playing = information > 0
    variance = 1.0 / information[playing]  # v
    volatility = state.volatility.copy()
    volatility[playing] = _new_volatility(
        state.volatility[playing], spread[playing], variance * surprise[playing], variance, tau
    )
    prior = spread**2 + np.where(playing | state.played, volatility**2, 0.0)
    posterior = 1.0 / (1.0 / prior + information)
    return Glicko2Ratings(
        START_POINTS + POINTS_PER_LOGIT * (mean + posterior * surprise),
        POINTS_PER_LOGIT * np.sqrt(posterior),
        volatility,
        state.played | playing,
    )


def _new_volatility(volatility: Floats, spread: Floats, gain: Floats, variance: Floats, tau: float) -> Floats:
    """Step 5: the root of f by the Illinois variant of regula falsi, one bracket per contestant."""
    centre = np.log(volatility**2)

    def f(x: Floats) -> Floats:
        total = spread**2 + variance + np.exp(x)
        return np.asarray(np.exp(x) * (gain**2 - total) / (2.0 * total**2) - (x - centre) / tau**2)

    low, high = centre.copy(), _other_end(f, centre, gain**2 - spread**2 - variance, tau)
    f_low, f_high = f(low), f(high)
    for _ in range(MOST_STEPS):
        open_still = np.abs(high - low) > TOLERANCE
        if not open_still.any():
            return np.asarray(np.exp(low / 2.0))
        width = np.where(open_still, f_high - f_low, 1.0)
        middle = np.where(open_still, low + (low - high) * f_low / width, low)
        f_middle = f(middle)
        crossed = f_middle * f_high <= 0
        halved = np.where(crossed, f_high, f_low / 2.0)
        low, f_low = np.where(open_still & crossed, high, low), np.where(open_still, halved, f_low)
        high, f_high = np.where(open_still, middle, high), np.where(open_still, f_middle, f_high)
    raise NoConvergence(f"Volatilities did not settle in {MOST_STEPS} steps; check the weights and tau.")


def _other_end(f: Callable[[Floats], Floats], centre: Floats, excess: Floats, tau: float) -> Floats:
    """ln(Δ² - φ² - v) where that exists, else the first a - k·τ at which f is not negative."""
    positive = excess > 0
    end = np.where(positive, np.log(np.where(positive, excess, 1.0)), centre - tau)
    for _ in range(MOST_STEPS):
        short = ~positive & (f(end) < 0)
        if not short.any():
            break
        end[short] -= tau
    return end
