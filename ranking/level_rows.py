"""Comparisons and answers as rows of choices between responses and none, with what is known of each response."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array, hstack

from .answers import Answers
from .arrays import Bools, Floats, Ints
from .clusters import Scores
from .comparisons import Comparisons
from .covariates.adjustment import Columns

Responses = csr_array[np.float64, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class ChoiceRows:
    """n comparisons and then q answers; r = 2n + q responses, A's and B's of each comparison and then the answers'.

    A response has the utility θ + x·β, none has zero.
    """

    predictors: Responses  # (r, m + k) z: 1 under its contestant, then x
    chosen: Floats  # (r,) share of its row's choice; none has the rest
    pairs: int  # n
    weight: Floats  # (n + q,)
    count: int  # m
    side: Floats  # (r,) the column of the side, if there is one
    annotator: Ints | None  # (n + q,)
    prompt: Ints | None
    lean: Floats | None = None  # (n + q,) added to the side

    @property
    def labelled(self) -> ChoiceRows | None:
        """None if nothing clusters the rows."""
        return None if self.annotator is None and self.prompt is None else self

    @cached_property
    def row(self) -> Ints:
        """(r,)"""
        return np.concatenate((np.repeat(np.arange(self.pairs), 2), np.arange(self.pairs, len(self.weight))))

    def leant(self, lean: Floats) -> Self:
        """These rows with other leanings to the side."""
        return replace(self, lean=lean)

    def utility(self, point: Floats) -> Floats:
        """(r,)"""
        utility = np.asarray(self.predictors @ point)
        return utility if self.lean is None else utility + self.side * self.lean[self.row]

    def chances(self, point: Floats) -> tuple[Floats, Floats]:
        """(r,) of being chosen, and (n + q,) ln Σ e^utility of each row, none included; point (m + k,)."""
        utility = self.utility(point)
        most = np.zeros(len(self.weight))
        np.maximum.at(most, self.row, utility)
        share = np.exp(utility - most[self.row])
        whole = np.exp(-most) + np.bincount(self.row, share, len(most))
        return np.asarray(share / whole[self.row]), most + np.log(whole)

    def log_likelihood(self, point: Floats) -> float:
        """Σ weight·(Σ chosen·utility - ln Σ e^utility)."""
        gained = np.bincount(self.row, self.chosen * self.utility(point), len(self.weight))
        return float(self.weight @ (gained - self.chances(point)[1]))

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Gradient (m + k,), what was chosen less what was expected, and information (m + k, m + k), its variance."""
        z, chance, weight = self.predictors, self.chances(point)[0], self.weight[self.row]
        slope = z.T @ (weight * (self.chosen - chance))
        means = self._by_row(chance)
        own = z.T @ (diags_array(weight * chance) @ z)
        together = means.T @ (diags_array(self.weight) @ means)
        return np.asarray(slope), np.ascontiguousarray((own - together).toarray())

    def scores(self, point: Floats) -> Scores:
        """(n + q, m + k) gradient of each row times its weight."""
        return csr_array(diags_array(self.weight) @ self._by_row(self.chosen - self.chances(point)[0]))

    def side_terms(self, point: Floats) -> tuple[Floats, Floats]:
        """(n + q,) slopes in the side, and the side's variance among the options; see `covariates.leaning`."""
        chance, count = self.chances(point)[0], len(self.weight)
        left = np.bincount(self.row, self.side * (self.chosen - chance), count)
        spread = np.bincount(self.row, self.side * self._apart(chance), count)
        return self.weight * left, self.weight * spread

    def side_crossed(self, point: Floats) -> Scores:
        """(n + q, m + k) covariance of the side and z among the options."""
        return csr_array(diags_array(self.weight) @ self._by_row(self._apart(self.chances(point)[0])))

    def _apart(self, chance: Floats) -> Floats:
        """(r,) chance times how far the side is from its row's mean."""
        mean = np.bincount(self.row, chance * self.side, len(self.weight))
        return chance * (self.side - mean[self.row])

    def _by_row(self, values: Floats) -> Responses:
        """(n + q, m + k) Σ values·z."""
        where = (values, (self.row, np.arange(len(values))))
        return csr_array(csr_array(where, shape=(len(self.weight), len(values))) @ self.predictors)


def choice_rows(
    comparisons: Comparisons, answers: Answers | None, present: Bools, columns: Columns | None = None
) -> ChoiceRows:
    """Of the rows that count: see `counted`; without `columns` there are none."""
    number = np.cumsum(present) - 1
    sides = np.column_stack((comparisons.a, comparisons.b)).ravel()
    share = np.column_stack((comparisons.outcome, 1.0 - comparisons.outcome))
    if comparisons.both_bad is not None:
        share[comparisons.both_bad] = 0.0
    said = np.empty(0, dtype=np.int64) if answers is None else answers.contestant
    liked = np.empty(0) if answers is None else answers.acceptable.astype(np.float64)
    responses = len(sides) + len(said)
    strengths = eye_array(int(present.sum()), format="csr")[number[np.concatenate((sides, said))]]
    x = np.empty((responses, 0)) if columns is None else columns.values
    return ChoiceRows(
        predictors=csr_array(hstack((strengths, csr_array(x)))) if x.size else strengths,
        chosen=np.concatenate((share.ravel(), liked)),
        pairs=len(comparisons),
        weight=_joined_weight(comparisons, answers),
        count=int(present.sum()),
        side=x[:, -1] if x.size else np.zeros(responses),
        annotator=_joined("annotator", comparisons, answers),
        prompt=_joined("prompt", comparisons, answers),
    )


def counted(comparisons: Comparisons) -> Bools:
    """(n,) rows of two contestants with weight."""
    return (comparisons.a != comparisons.b) & weighty(comparisons.weight, len(comparisons))


def weighty(weight: Floats | None, rows: int) -> Bools:
    """(n,)"""
    return np.ones(rows, dtype=bool) if weight is None else weight > 0


def _joined_weight(comparisons: Comparisons, answers: Answers | None) -> Floats:
    votes = np.ones(len(comparisons)) if comparisons.weight is None else comparisons.weight
    if answers is None:
        return votes
    return np.append(votes, np.ones(len(answers)) if answers.weight is None else answers.weight)


def _joined(name: str, comparisons: Comparisons, answers: Answers | None) -> Ints | None:
    """One column of labels over both, -1 where only the other has them; None if neither has."""
    columns = [getattr(rows, name) for rows in (comparisons, answers) if rows is not None]
    if all(column is None for column in columns):
        return None
    sizes = [len(rows) for rows in (comparisons, answers) if rows is not None]
    filled = (np.full(size, -1) if column is None else column for column, size in zip(columns, sizes, strict=True))
    return np.concatenate(list(filled))
