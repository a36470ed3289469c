"""Answers in other formats than plain votes, kept one by one: counts are not enough to refit from them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from ..arrays import Floats, Ints
from ..errors import UnknownIndex
from .formats import AnswerFormat
from .refit import Pull


@dataclass(eq=False)
class _Rows:
    first: array[int] = field(default_factory=lambda: array("q"))
    second: array[int] = field(default_factory=lambda: array("q"))
    value: array[float] = field(default_factory=lambda: array("d"))

    @property
    def columns(self) -> tuple[Ints, Ints, Floats]:
        return np.array(self.first), np.array(self.second), np.array(self.value)


@dataclass(eq=False)
class Answered:
    """By format, in the order of their first answer; i and j are rows of the state."""

    rows: dict[AnswerFormat, _Rows] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows)

    def add(self, answer: AnswerFormat, i: int, j: int, value: float) -> None:
        """One answer about i over j. Raises BadOutcome, BadAmount, UnknownIndex."""
        answer.check(value)
        if i == j or min(i, j) < 0:
            raise UnknownIndex(f"rows {i} and {j} are not two contestants; give their places among the names.")
        rows = self.rows.setdefault(answer, _Rows())
        rows.first.append(i)
        rows.second.append(j)
        rows.value.append(value)

    def preferred(self, count: int) -> Floats:
        """(count, count) how often row was preferred to column, half for either where neither was.

        Raises UnknownIndex where a row is not below `count`.
        """
        wins = np.zeros((count, count))
        for answer, rows in self.rows.items():
            i, j, value = rows.columns
            if max(i.max(), j.max()) >= count:
                raise UnknownIndex(f"row {max(i.max(), j.max())} is answered about; there are {count} names, from 0.")
            won = answer.preferred(value)
            np.add.at(wins, (i, j), won)
            np.add.at(wins, (j, i), 1.0 - won)
        return wins

    def pull(self, point: Floats) -> Pull | None:
        """At strengths `point` (M,), O(rows); None without answers."""
        if not self.rows:
            return None
        slope, information, number = np.zeros((3, len(point), len(point)))
        for answer, rows in self.rows.items():
            i, j, value = rows.columns
            gap = point[i] - point[j]
            np.add.at(slope, (i, j), answer.slope(gap, value))
            np.add.at(information, (i, j), answer.information(gap))
            np.add.at(number, (i, j), 1.0)
        return Pull(slope - slope.T, information + information.T, number + number.T)
