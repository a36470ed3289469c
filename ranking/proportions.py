"""Plain shares: acceptability and observed win rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, bools, floats, ints
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .errors import BadOutcome, BadWeight, ShapeMismatch, UnknownIndex
from .options import checked
from .strengths import two_sided_quantile


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of independent judgments with Wilson score intervals; NaN where nothing was judged."""

    share: Floats  # (M,)
    lower: Floats  # (M,)
    upper: Floats  # (M,)
    judged: Floats  # (M,)
    level: float


@dataclass(frozen=True, eq=False)
class WinRates:
    """Observed wins, ties half; they depend on whom each contestant met."""

    rate: Floats  # (M,) NaN without a comparison with another contestant
    battles: Floats  # (M,) comparisons with others
    pair_rate: Floats  # (M, M) [i, j] = share that i won against j; NaN where they did not meet
    pair_battles: Floats  # (M, M)


@checked
def wilson(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Shares:
    """Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22.

    Centre (p + z²/2n)/(1 + z²/n), half-width z/(1 + z²/n)·√(p(1 - p)/n + z²/4n²). Judgments are taken as
    independent: where people or prompts repeat, the truth is wider. Raises ShapeMismatch, BadWeight.
    """
    successes, trials = floats("successes", successes, BadWeight), floats("trials", trials, BadWeight)
    if successes.shape != trials.shape:
        raise ShapeMismatch(f"successes has shape {successes.shape} and trials {trials.shape}; give one each.")
    if not ((successes >= 0) & (successes <= trials) & np.isfinite(trials)).all():
        raise BadWeight("Successes must lie between 0 and their finite number of trials.")
    z = two_sided_quantile(level)
    count = np.where(trials > 0, trials, np.nan)
    share = successes / count
    shrink = 1.0 + z * z / count
    centre = (share + z * z / (2.0 * count)) / shrink
    half = z / shrink * np.sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count))
    return Shares(
        share=share,
        lower=np.where(successes == 0, share, np.maximum(centre - half, 0.0)),
        upper=np.where(successes == trials, share, np.minimum(centre + half, 1.0)),
        judged=trials,
        level=level,
    )


@checked
def acceptability(contestant: ArrayLike, acceptable: ArrayLike, count: int, level: float = 0.95) -> Shares:
    """Share of judged responses that were acceptable; contestant (n,) 0..count-1, acceptable (n,) true or 1, else 0.

    Raises ShapeMismatch, UnknownIndex, BadOutcome.
    """
    contestant, acceptable = ints("contestant", contestant), bools("acceptable", acceptable, BadOutcome)
    if contestant.ndim != 1 or contestant.shape != acceptable.shape:
        shapes = f"contestant has shape {contestant.shape} and acceptable {acceptable.shape}"
        raise ShapeMismatch(f"{shapes}; give one each per answer.")
    if contestant.size and not 0 <= int(contestant.min()) <= int(contestant.max()) < count:
        raise UnknownIndex(f"contestant holds an index outside 0 to {count - 1}; number the contestants from 0.")
    judged = np.bincount(contestant, minlength=count).astype(np.float64)
    accepted = np.bincount(contestant[acceptable], minlength=count).astype(np.float64)
    return wilson(accepted, judged, level)


@checked
def win_rates(data: Comparisons | Counts, both_bad: BothBad = BothBad.LEAVE_OUT) -> WinRates:
    """Wins plus half the ties over comparisons with others."""
    counts = data if isinstance(data, Counts) else count_matrix(data)
    elsewhere = 1.0 - np.eye(counts.count)
    ties = counts.tied(both_bad) * elsewhere
    wins = counts.wins * elsewhere
    credit = wins + 0.5 * ties
    pair_battles = wins + wins.T + ties
    battles = pair_battles.sum(axis=1)
    return WinRates(
        rate=_divided(credit.sum(axis=1), battles),
        battles=battles,
        pair_rate=_divided(credit, pair_battles),
        pair_battles=pair_battles,
    )


def _divided(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
