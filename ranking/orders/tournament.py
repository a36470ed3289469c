"""Who is preferred over whom, pair by pair: the input of every voting rule in this folder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from scipy.stats import rankdata

from ..arrays import Bools, Floats, Ints, frozen
from ..comparisons import Comparisons, check_weights
from ..counts import BothBad, Counts
from ..errors import BadProbability, NoComparisons, ShapeMismatch, SingleContestant, UnmetPairs
from ..options import checked
from ..proportions import win_rates

TOLERANCE = 1e-9  # shares closer than this are equal: a fit's rounding makes no majority


class Absent(StrEnum):
    """What a rule does with two contestants who never met. Nothing takes them for equal without being told."""

    REFUSE = "refuse"
    NEITHER = "neither"  # the pair speaks for neither: each rule says in its docstring what that comes to


@dataclass(frozen=True, eq=False, kw_only=True)
class Tournament:
    """Shares of preference among M contestants; build it with `tournament` or `tournament_of_ranks`."""

    share: (
        Floats  # (M, M) of i over j, a tie as half; with its transpose 1; NaN on the diagonal and where they never met
    )
    weight: Floats  # (M, M) symmetric, what a pair counts in Kemeny's sum; 0 where they never met

    @cached_property
    def present(self) -> Bools:
        """(M,) met at least one other."""
        return np.asarray(self.met.any(axis=1))

    @cached_property
    def index(self) -> Ints:
        """(m,) the number of each present contestant."""
        return np.flatnonzero(self.present)

    @cached_property
    def met(self) -> Bools:
        """(M, M)"""
        return np.asarray(self.weight > 0)

    @cached_property
    def margin(self) -> Floats:
        """(M, M) share of i over j less that of j over i, -1 to 1; 0 where they never met or are level."""
        margin = np.where(self.met, 2.0 * self.share - 1.0, 0.0)
        return np.where(np.abs(margin) > TOLERANCE, margin, 0.0)


Source = Tournament | Comparisons | Counts | Floats


@checked
def tournament(source: Source, *, absent: Absent = Absent.REFUSE, both_bad: BothBad = BothBad.LEAVE_OUT) -> Tournament:
    """From a log, its counts, or probabilities (M, M) of i over j, NaN where nothing is known; pairs weigh the same.

    Pairs weigh the same however often they were shown, because a selection policy shows some far more often. A
    tournament passes through unchanged. Contestants who met nobody are left out of every rule: NaN, and rank 0.
    Raises UnmetPairs unless the others all met or `absent` says what that means; NoComparisons, BadProbability,
    ShapeMismatch, SingleContestant.
    """
    if isinstance(source, Tournament):
        return source
    share = (
        win_rates(source, both_bad).pair_rate if isinstance(source, Comparisons | Counts) else _checked(source)
    ).copy()
    np.fill_diagonal(share, np.nan)
    return _complete(Tournament(share=frozen(share), weight=frozen(np.where(np.isnan(share), 0.0, 1.0))), absent)


@checked
def tournament_of_ranks(ranks: Floats, *, weight: Floats | None = None, absent: Absent = Absent.REFUSE) -> Tournament:
    """From S rankings of M contestants, one for each slice of the log or each judge, into majorities between them.

    ranks (S, M): 1 = best, equal = tied (half for each), NaN = not ranked in that slice, which then says nothing
    about that contestant. weight (S,), None = 1 each. A pair weighs what the slices that rank both weigh, so
    `kemeny` of it minimises the weighted sum of Kendall's distances (Kemeny 1959, "Mathematics without numbers",
    Daedalus 88), and `borda` gives Borda's counts, scaled to shares. Raises ShapeMismatch, BadWeight and what
    `tournament` raises.
    """
    table = np.asarray(ranks, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise ShapeMismatch(f"ranks has shape {table.shape}; give one row per slice and one column per contestant.")
    slices = np.ones(len(table)) if weight is None else np.asarray(weight, dtype=np.float64)
    if slices.shape != (len(table),):
        raise ShapeMismatch(f"weight has shape {slices.shape}; give one for each of {len(table)} slices.")
    check_weights("weight", slices)
    count = table.shape[1]
    _check_count(count)
    credit, total = np.zeros((count, count)), np.zeros((count, count))
    for row, worth in zip(table, slices, strict=True):
        above, level = row[:, None] < row[None, :], row[:, None] == row[None, :]
        credit += worth * (above + 0.5 * level)
        total += worth * (above + above.T + level)
    np.fill_diagonal(total, 0.0)
    share = np.divide(credit, total, out=np.full(total.shape, np.nan), where=total > 0)
    return _complete(Tournament(share=frozen(share), weight=frozen(total)), absent)


def rank_by(score: Floats) -> Ints:
    """(M,) ranks from 1 = highest, equals sharing the better rank; 0 where the score is NaN."""
    ranked = np.isfinite(score)
    ranks = np.zeros(len(score), dtype=np.int64)
    ranks[ranked] = rankdata(-np.round(score[ranked] / TOLERANCE), method="min")
    return ranks


def _checked(share: Floats) -> Floats:
    table = np.asarray(share, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ShapeMismatch(f"The matrix has shape {table.shape}; give one row and column per contestant.")
    _check_count(len(table))
    both = table + table.T
    elsewhere = ~np.eye(len(table), dtype=bool)
    known = ~np.isnan(table)
    wrong = (known != known.T) | (known & ~((table >= -TOLERANCE) & (np.abs(both - 1.0) <= 1e-6)))
    if (wrong & elsewhere).any():
        i, j = (int(index) for index in np.argwhere(wrong & elsewhere)[0])
        raise BadProbability(
            f"P[{i}, {j}] is {table[i, j]} and P[{j}, {i}] is {table[j, i]}; give probabilities that sum to one, "
            "half of a tie's for each, and NaN both ways where nothing is known."
        )
    return table


def _check_count(count: int) -> None:
    if count < 2:
        raise SingleContestant(f"There are {count} contestants; an order needs two.")


def _complete(made: Tournament, absent: Absent) -> Tournament:
    if not made.present.any():
        raise NoComparisons("No contestant met another; collect votes first.")
    unmet = ~made.met & made.present[:, None] & made.present[None, :]
    np.fill_diagonal(unmet, False)
    if absent is Absent.REFUSE and unmet.any():
        raise UnmetPairs((int(i), int(j)) for i, j in np.argwhere(np.triu(unmet)))
    return made
