"""Counts of choices among two contestants and none, P(i) : P(j) : P(none) = e^θ_i : e^θ_j : 1, and their likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

from .answers import Answers
from .arrays import Floats
from .connectivity import Groups, find_groups
from .counts import Counts
from .errors import NoComparisons
from .newton import add_to_diagonal
from .pair_table import PairTable
from .strengths import Evidence


@dataclass(frozen=True, eq=False)
class LevelTable:
    """Counts of m present contestants: those that met another one or were answered about."""

    table: PairTable  # its ties do not hold none
    none: Floats  # (m, m) symmetric, zero diagonal
    answers: Floats  # (2, m) not acceptable, acceptable

    @cached_property
    def total(self) -> Floats:
        """(m, m) comparisons of each pair."""
        return np.asarray(self.table.total + self.none)

    @cached_property
    def chosen(self) -> Floats:
        """(m,) times chosen, ties half."""
        return np.asarray(self.table.credit + self.answers[1])

    @cached_property
    def judged(self) -> Floats:
        """(m,) comparisons and answers."""
        return np.asarray(self.total.sum(axis=1) + self.answers.sum(axis=0))

    @cached_property
    def refused(self) -> Floats:
        """(m,) times none was chosen instead."""
        return np.asarray(self.none.sum(axis=1) + self.answers[0])

    @cached_property
    def groups(self) -> Groups:
        """Over m + 1, the outside option last: who was ever chosen over whom."""
        beats = np.zeros((len(self.chosen) + 1, len(self.chosen) + 1), dtype=bool)
        beats[:-1, :-1] = (self.table.wins + self.table.ties) > 0
        beats[:-1, -1], beats[-1, :-1] = self.chosen > 0, self.refused > 0
        return find_groups(beats)

    def evidence(self, provisional_below: float) -> Evidence:
        """Provisional: fewer choices than that among side and none, or level bounded only through the prior."""
        table = self.table
        decisive = table.wins.sum(axis=0) + table.wins.sum(axis=1) + self.refused + self.answers[1]
        undefeated, winless = self.chosen == self.judged, self.chosen == 0
        outside = (self.groups.strong != self.groups.strong[-1])[:-1]
        return Evidence(
            battles=table.embed(self.judged, 0.0),
            decisive=table.embed(decisive, 0.0),
            present=table.present,
            undefeated=table.embed(undefeated, False),
            winless=table.embed(winless, False),
            provisional=table.embed(outside | (decisive < provisional_below), False),
            component=table.embed(np.zeros(len(decisive), dtype=np.int64), -1),
        )


def tabulate_levels(counts: Counts, answers: Answers | None) -> LevelTable:
    """Raises NoComparisons, UnknownIndex."""
    elsewhere = 1.0 - np.eye(counts.count)
    wins, ties = counts.wins * elsewhere, counts.tied() * elsewhere
    none = (counts.both_bad + counts.both_bad.T) * elsewhere
    said = np.zeros((2, counts.count)) if answers is None else answers.counts(counts.count)
    present = np.asarray((wins + wins.T + ties + none).any(axis=1) | said.any(axis=0))
    if not present.any():
        raise NoComparisons("No comparison and no answer is left to fit; collect votes.")
    kept, nothing = np.ix_(present, present), np.zeros(int(present.sum()))
    return LevelTable(PairTable(present, wins[kept], ties[kept], nothing, nothing), none[kept], said[:, present])


def log_likelihood(strength: Floats, levels: LevelTable) -> float:
    """Σ chosen_i·θ_i - Σ_{i<j} N_ij·ln(1 + e^θ_i + e^θ_j) - Σ_i answers_i·ln(1 + e^θ_i); strength (m,)."""
    pairs = 0.5 * float(np.vdot(levels.total, np.log(sum_of_odds(strength))))
    return float(levels.chosen @ strength) - pairs - float(levels.answers.sum(axis=0) @ np.logaddexp(0.0, strength))


def derivatives(strength: Floats, levels: LevelTable) -> tuple[Floats, Floats]:
    """Gradient (m,), times chosen less those expected, and information (m, m)."""
    odds, whole = np.exp(strength), sum_of_odds(strength)
    alone, asked = expit(strength), levels.answers.sum(axis=0)
    rate = levels.total / whole
    expected = rate * odds[:, None]
    slope = levels.chosen - expected.sum(axis=1) - asked * alone
    information = -(expected / whole) * odds[None, :]
    own = (expected * (1.0 - odds[:, None] / whole)).sum(axis=1) + asked * alone * (1.0 - alone)
    add_to_diagonal(information, own)
    return slope, information


def meat(strength: Floats, levels: LevelTable) -> Floats:
    """(m, m) votes and answers apart: each holds what was chosen less what was expected."""
    chance = np.exp(strength)[:, None] / sum_of_odds(strength)
    other, alone = chance.T, expit(strength)
    won, tied, none = levels.table.wins, levels.table.ties, levels.none
    crossed = -won * (1.0 - chance) * other
    result = crossed + crossed.T + tied * (0.5 - chance) * (0.5 - other) + none * chance * other
    own = won * (1.0 - chance) ** 2 + won.T * chance**2 + tied * (0.5 - chance) ** 2 + none * chance**2
    add_to_diagonal(result, own.sum(axis=1) + levels.answers[1] * (1.0 - alone) ** 2 + levels.answers[0] * alone**2)
    return np.asarray(result)


def sum_of_odds(strength: Floats) -> Floats:
    """(m, m) 1 + e^θ_i + e^θ_j."""
    odds = np.exp(strength)
    return np.asarray(1.0 + np.add.outer(odds, odds))
