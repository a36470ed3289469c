"""The maximal lottery: probabilities over contestants that no opponent beats on average.

With margins as the payoff of a symmetric zero-sum game: max over p of min over j of Σ_i p_i·(P(i over j) - ½). Kreweras
1965; Fishburn 1984, "Probabilistic social choice based on simple voting comparisons", Rev. Econ. Stud. 51. The value of
the game is zero. A Condorcet winner gets everything; rock, paper and scissors a third each.

Nash averaging (Balduzzi et al. 2018, "Re-evaluating evaluation", NeurIPS) is the same linear programme with log-odds as
the payoff: `Payoff.LOG_ODDS`. Where equilibria are many it takes the one of largest entropy; here `unique` says so
instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import linprog

from ..arrays import Bools, Floats
from ..errors import BadProbability, NoConvergence, ShapeMismatch
from ..options import checked
from .tournament import Source, Tournament, tournament

SUPPORT = 1e-7  # HiGHS's tolerance: smaller probabilities and payoffs are zero
NULL = 1e-9  # singular values below this share of the largest are zero


class Payoff(StrEnum):
    """What a contestant wins from another."""

    MARGIN = "margin"  # P(i over j) - ½
    LOG_ODDS = "log_odds"  # ln P(i over j) - ln P(j over i)


@dataclass(frozen=True, eq=False)
class Lottery:
    """An optimal mixed strategy."""

    probability: Floats  # (M,) sums to one; 0 for who met nobody
    payoff: Floats  # (M,) what each contestant wins against it on average, at most ~0; NaN for who met nobody
    unique: bool  # the only optimal one: True unless some pairs are exactly level

    @property
    def exploitability(self) -> float:
        """The most that any contestant wins against it; 0 up to rounding."""
        return max(0.0, float(np.nanmax(self.payoff)))


@checked
def maximal_lottery(source: Source, *, payoff: Payoff = Payoff.MARGIN) -> Lottery:
    """Observed or fitted preferences. A pair that never met (`Absent.NEITHER`) pays nothing.

    Raises NoConvergence, BadProbability for log-odds of a share of 0 or 1, and what `tournament` does.
    """
    t = tournament(source)
    game = _payoffs(t, payoff)[np.ix_(t.index, t.index)]
    count = len(game)
    solved = linprog(
        c=np.append(np.zeros(count), -1.0),
        A_ub=np.column_stack((-game.T, np.ones(count))),  # v - Σ_i p_i·game[i, j] <= 0
        b_ub=np.zeros(count),
        A_eq=np.append(np.ones(count), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0.0, None)] * count + [(None, None)],
        method="highs",
    )
    if solved.x is None or not solved.success:
        raise NoConvergence(f"The linear programme was not solved: {solved.message} Check the matrix for huge odds.")
    weights = np.maximum(solved.x[:-1], 0.0)
    weights, unique = _settled(game, weights / weights.sum())
    whole, against = np.zeros(len(t.present)), np.full(len(t.present), np.nan)
    whole[t.index], against[t.index] = weights, game @ weights
    return Lottery(whole, against, unique)


@checked
def exploitability(probability: Floats, source: Source, *, payoff: Payoff = Payoff.MARGIN) -> float:
    """The most that any contestant wins on average against `probability` (M,); 0 only for a maximal lottery.

    To judge a lottery from a fit by the preferences observed. Raises ShapeMismatch, BadProbability.
    """
    t = tournament(source)
    if probability.shape != t.present.shape:
        raise ShapeMismatch(f"probability has shape {probability.shape}; give one for each of {len(t.present)}.")
    if not (probability >= 0).all() or abs(probability.sum() - 1.0) > 1e-6:
        raise BadProbability("The probabilities of a lottery must not be negative and must sum to one.")
    return max(0.0, float((_payoffs(t, payoff) @ probability)[t.present].max()))


def _payoffs(t: Tournament, payoff: Payoff) -> Floats:
    if payoff is Payoff.MARGIN:
        return 0.5 * t.margin
    if (np.abs(t.margin) >= 1.0).any():
        raise BadProbability("A share is 0 or 1, so its log-odds are infinite; give fitted probabilities.")
    return np.asarray(2.0 * np.arctanh(t.margin))


def _settled(game: Floats, weights: Floats) -> tuple[Floats, bool]:
    """The solution to full precision where it is the only one, and whether it is.

    It is if every contestant outside the support loses to it and the support's own game has a one-dimensional
    null space, which then holds it.
    """
    support = weights > SUPPORT
    level: Bools = np.abs(game @ weights) <= SUPPORT * max(1.0, float(np.abs(game).max()))
    if (level & ~support).any():
        return weights, False
    inner = game[np.ix_(support, support)]
    basis = np.ones((1, 1)) if len(inner) == 1 else null_space(inner, rcond=NULL)
    if basis.shape[1] != 1:
        return weights, False
    exact = np.zeros(len(weights))
    exact[support] = basis[:, 0] / basis.sum()
    return (exact, True) if (exact >= 0).all() else (weights, True)
