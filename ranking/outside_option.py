"""Strengths with a level: of i, j and "neither", P(i) : P(j) : P(none) = e^θ_i : e^θ_j : 1.

The multinomial logit of Luce 1959 ("Individual choice behavior", section 1.C) and McFadden 1974 ("Conditional logit
analysis of qualitative choice behavior", section 2) with the outside option at zero. So θ is not centred: θ > 0 means
shown alone, acceptable to more than half, P(acceptable) = σ(θ); differences keep Bradley-Terry's meaning among those
who chose a side.

How rows map: the preferred side was chosen; `both_bad` is none; a tie that is not both_bad is half a choice of each, as
in `fit_bradley_terry`, whose likelihood times that of none or not this one is. `Answers` about single responses are
choices between that response and none. A contestant met with itself says nothing here. The prior draws levels to zero,
and 1000 points are the outside option. Other settings as in `bradley_terry`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.special import expit, ndtr

from .answers import Answers
from .arrays import Bools, Floats, Ints
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW, warm_start
from .clusters import Scores, spread_of
from .comparisons import Comparisons
from .counts import Counts, count_matrix
from .errors import NoLevel
from .levels import LevelTable, derivatives, log_likelihood, meat, sum_of_odds, tabulate_levels
from .newton import Optimum, add_to_diagonal, climb
from .priors import Prior
from .strengths import Covariance, Note, StrengthFit


@dataclass(frozen=True, eq=False, kw_only=True)
class OutsideOptionFit(StrengthFit):
    """A `StrengthFit` whose zero is the outside option; `gauge` is all zeros, since no mean is set.

    In `evidence`, battles and decisive count answers too, and none decides; undefeated is who was chosen always.
    """

    prior: Prior | None

    def acceptance_probability(self) -> Floats:
        """(M,) P(acceptable) where shown alone, σ(θ)."""
        return np.asarray(expit(self.strength))

    def choice_probability(self) -> Floats:
        """(M, M) P(i is chosen) where shown beside j."""
        return np.asarray(np.exp(self.strength)[:, None] / sum_of_odds(self.strength))

    def none_probability(self) -> Floats:
        """(M, M) P(neither is acceptable)."""
        return np.asarray(1.0 / sum_of_odds(self.strength))

    def probability_above_none(self) -> Floats:
        """(M,) P(θ_i > 0), errors taken as normal."""
        return np.asarray(ndtr(self.strength / self.standard_error()))


def fit_outside_option(
    data: Comparisons | Counts,
    *,
    answers: Answers | None = None,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
    start: Floats | None = None,
) -> OutsideOptionFit:
    """Levels of every contestant that met another or was answered about.

    Raises NoComparisons; NoLevel where none was never or always chosen, and with prior=None also where some were;
    NoConvergence, MissingLabels, TooFewClusters, UnknownIndex, ShapeMismatch.
    """
    counts = data if isinstance(data, Counts) else count_matrix(data)
    levels = tabulate_levels(counts, answers)
    _refuse_without_level(levels, prior)
    optimum = _maximise(levels, prior, warm_start(start, levels.table))
    point, table = optimum.point, levels.table
    rows = _Rows.of(data, answers, table.present)
    spread = spread_of(rows, covariance, optimum.inverse, lambda: meat(point, levels), lambda some: some.scores(point))
    return OutsideOptionFit(
        strength=table.embed(point, nan),
        covariance=table.embed_square(spread.covariance),
        hessian_covariance=table.embed_square(optimum.inverse),
        gauge=np.zeros(counts.count),
        evidence=levels.evidence(provisional_below),
        clustering=spread.clustering,
        floor=floor,
        log_likelihood=log_likelihood(point, levels),
        iterations=optimum.steps,
        notes=(*spread.notes, Note.SEPARATED) if levels.groups.separated else spread.notes,
        prior=prior,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Comparisons and then answers, contestants numbered 0..m-1."""

    comparisons: Comparisons
    answers: Answers | None
    count: int  # m
    annotator: Ints | None
    prompt: Ints | None

    @classmethod
    def of(cls, data: Comparisons | Counts, answers: Answers | None, present: Bools) -> _Rows | None:
        """None if nothing clusters them: counts, or no label on either."""
        if isinstance(data, Counts):
            return None
        comparisons = data.select((data.a != data.b) & _counted(data.weight, len(data)))
        if answers is not None:
            answers = answers.select(_counted(answers.weight, len(answers)))
        annotator, prompt = _joined("annotator", comparisons, answers), _joined("prompt", comparisons, answers)
        if annotator is None and prompt is None:
            return None
        number = np.cumsum(present) - 1
        comparisons = replace(comparisons, a=number[comparisons.a], b=number[comparisons.b])
        if answers is not None:
            answers = replace(answers, contestant=number[answers.contestant])
        return cls(comparisons, answers, int(present.sum()), annotator, prompt)

    def scores(self, strength: Floats) -> Scores:
        """(n + k, m) gradient of each row's log-likelihood: what was chosen less what was expected."""
        votes, said = self.comparisons, self.answers
        sides, odds = np.column_stack((votes.a, votes.b)), np.exp(strength)
        chosen = np.column_stack((votes.outcome, 1.0 - votes.outcome))
        if votes.both_bad is not None:
            chosen[votes.both_bad] = 0.0
        residual = chosen - odds[sides] / (1.0 + odds[sides].sum(axis=1, keepdims=True))
        result = _sparse(residual, sides, votes.weight, self.count)
        if said is None:
            return result
        alone = (said.acceptable - expit(strength[said.contestant]))[:, None]
        return csr_array(vstack((result, _sparse(alone, said.contestant[:, None], said.weight, self.count))))


def _counted(weight: Floats | None, rows: int) -> Bools:
    return np.ones(rows, dtype=bool) if weight is None else weight > 0


def _joined(name: str, comparisons: Comparisons, answers: Answers | None) -> Ints | None:
    """One column of labels over both, -1 where only the other has them; None if neither has."""
    columns = [getattr(rows, name) for rows in (comparisons, answers) if rows is not None]
    if all(column is None for column in columns):
        return None
    sizes = [len(rows) for rows in (comparisons, answers) if rows is not None]
    filled = (np.full(size, -1) if column is None else column for column, size in zip(columns, sizes, strict=True))
    return np.concatenate(list(filled))


def _sparse(values: Floats, columns: Ints, weight: Floats | None, count: int) -> Scores:
    """(n, count) from `values` (n, k) under `columns` (n, k)."""
    scaled = values if weight is None else values * weight[:, None]
    starts = np.arange(0, values.size + 1, values.shape[1])
    return csr_array((scaled.ravel(), columns.ravel(), starts), shape=(len(values), count))


def _refuse_without_level(levels: LevelTable, prior: Prior | None) -> None:
    """Raises NoLevel."""
    if not levels.refused.any():
        raise NoLevel("None was never chosen, so nothing bounds the levels from above; use fit_bradley_terry.")
    if not levels.chosen.any():
        raise NoLevel("None was chosen every time, so nothing bounds the levels from below; collect more votes.")
    if prior is None and levels.groups.separated:
        outside = levels.groups.strong[:-1] != levels.groups.strong[-1]
        names = ", ".join(str(index) for index in levels.table.index[outside][:8])
        raise NoLevel(
            f"{int(outside.sum())} contestants ({names}) were never, or always, chosen where none bounds the rest, so "
            "their level has no bound. Fit with a prior (VirtualTie()), which flags them, or collect more votes."
        )


def _maximise(levels: LevelTable, prior: Prior | None, start: Floats | None) -> Optimum:
    def penalised(strength: Floats) -> tuple[Floats, Floats]:
        slope, information = derivatives(strength, levels)
        if prior is not None:
            slope += prior.gradient(strength)
            add_to_diagonal(information, prior.curvature(strength))
        return slope, information

    return climb(penalised, np.log((levels.chosen + 0.5) / (levels.refused + 0.5)) if start is None else start)
