"""Rules that score each contestant by itself: Borda, Copeland, and minimax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints
from ..options import checked
from .tournament import Source, rank_by, tournament


@dataclass(frozen=True, eq=False)
class OrderScores:
    """Scores of a rule, higher is better, on the rule's own scale."""

    score: Floats  # (M,) NaN for who met nobody
    rank: Ints  # (M,) 1 = best, equals share the better rank; 0 for who met nobody


@checked
def borda(source: Source) -> OrderScores:
    """Mean share of preference against every other contestant, each opponent counting the same.

    Borda 1781, "Mémoire sur les élections au scrutin"; observed win rates weigh opponents by how often they were
    shown, this does not. Under `Absent.NEITHER` the mean is over the opponents met. Raises what `tournament` does.
    """
    t = tournament(source)
    met = t.met.sum(axis=1)
    total = np.where(t.met, t.share, 0.0).sum(axis=1)
    return _ranked(np.divide(total, met, out=np.full(len(met), np.nan), where=met > 0))


@checked
def copeland(source: Source) -> OrderScores:
    """Majorities won less majorities lost, from -(M - 1) to M - 1 (Copeland 1951).

    Level pairs, and under `Absent.NEITHER` pairs that never met, count for neither side.
    """
    t = tournament(source)
    return _ranked(np.where(t.present, np.sign(t.margin).sum(axis=1), np.nan))


@checked
def minimax(source: Source) -> OrderScores:
    """Smallest share of preference against any opponent (Simpson 1969, Kramer 1977): a Condorcet winner has over ½.

    Under `Absent.NEITHER` the smallest over the opponents met.
    """
    t = tournament(source)
    worst = np.where(t.met, t.share, np.inf).min(axis=1)
    return _ranked(np.where(t.present, worst, np.nan))


def _ranked(score: Floats) -> OrderScores:
    return OrderScores(score, rank_by(score))
