"""Strengths with a level: of i, j and "neither", P(i) : P(j) : P(none) = e^θ_i : e^θ_j : 1.

The multinomial logit of Luce 1959 ("Individual choice behavior", section 1.C) and McFadden 1974 ("Conditional logit
analysis of qualitative choice behavior", section 2) with the outside option at zero. So θ is not centred: θ > 0 means
shown alone, acceptable to more than half, P(acceptable) = σ(θ); differences keep Bradley-Terry's meaning among those
who chose a side.

How rows map: the preferred side was chosen; `both_bad` is none; a tie that is not both_bad is half a choice of each, as
in `fit_bradley_terry`, whose likelihood times that of none or not this one is. `Answers` about single responses are
choices between that response and none. A contestant met with itself says nothing here. The prior draws levels to zero,
and 1000 points are the outside option. Other settings as in `bradley_terry`.

Adjusted, a shown response has the utility θ_i + x·β, x its own covariates (`level_columns`): θ is the level of a
response with the mean covariates, and β is per standard deviation. The side adds half of its effect to A and takes
half from B, so that ln P(A)/P(B) = θ_a - θ_b + (x_a - x_b)·β + side.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr

from .answers import Answers
from .arrays import Floats
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW, warm_start
from .clusters import Spread, apart, spread_of
from .comparisons import Comparisons
from .counts import Counts, count_matrix
from .covariates.adjustment import Adjustment, Effects
from .covariates.ascent import climb_with_effects
from .covariates.design import Side, rows_of
from .covariates.leaning import Slopes, climb_sides
from .covariates.side import Leanings, refuse_one_sided
from .errors import NoLevel
from .level_columns import LevelColumns, level_columns
from .level_rows import choice_rows, counted, weighty
from .levels import LevelTable, derivatives, log_likelihood, meat, sum_of_odds, tabulate_levels
from .newton import Optimum, add_to_diagonal, climb
from .options import checked
from .priors import Prior
from .strengths import Covariance, Note, StrengthFit


@dataclass(frozen=True, eq=False, kw_only=True)
class OutsideOptionFit(StrengthFit):
    """A `StrengthFit` whose zero is the outside option; `gauge` is all zeros, since no mean is set.

    In `evidence`, battles and decisive count answers too, and none decides; undefeated is who was chosen always.
    """

    prior: Prior | None
    effects: Effects | None = None  # of `adjust`
    leanings: Leanings | None = None  # under Side.ANNOTATOR
    covariate_mean: Floats | None = None  # (c,) the covariates of the response that θ is the level of

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


@checked
def fit_outside_option(
    data: Comparisons | Counts,
    *,
    answers: Answers | None = None,
    adjust: Adjustment | None = None,
    covariates: ArrayLike | None = None,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
    start: Floats | None = None,
) -> OutsideOptionFit:
    """Levels of every contestant that met another or was answered about.

    With covariates (n, 2, k), of A's response and of B's, answers carry their own. `adjust` alone is for the side.
    Raises NoComparisons; NoLevel where none was never or always chosen, and with prior=None also where some were;
    NoConvergence, MissingLabels, TooFewClusters, UnknownIndex, ShapeMismatch; when adjusted BadCovariate, BadParameter.
    """
    levels = tabulate_levels(data if isinstance(data, Counts) else count_matrix(data), answers)
    _refuse_without_level(levels, prior)
    some = None if answers is None else answers.select(weighty(answers.weight, len(answers)))
    task = _Task(data, some, levels, prior, covariance, warm_start(start, levels.table))
    unadjusted = adjust is None and covariates is None
    found = task.plain() if unadjusted else task.adjusted(adjust or Adjustment(), covariates)
    table, m = levels.table, len(levels.chosen)
    return OutsideOptionFit(
        strength=table.embed(found.optimum.point[:m], nan),
        covariance=table.embed_square(found.spread.covariance[:m, :m]),
        hessian_covariance=table.embed_square(found.optimum.inverse[:m, :m]),
        gauge=np.zeros(data.count),
        evidence=levels.evidence(provisional_below),
        clustering=found.spread.clustering,
        floor=floor,
        log_likelihood=found.log_likelihood,
        iterations=found.optimum.steps,
        notes=found.spread.notes + (Note.SEPARATED,) * levels.groups.separated,
        prior=prior,
        **found.moved(m),
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """The maximum, what is known of its error, and what was fitted beside the levels."""

    optimum: Optimum  # in θ (m,), then effects
    spread: Spread
    log_likelihood: float
    beside: LevelColumns | None = None
    leanings: Leanings | None = None

    def moved(self, count: int) -> dict[str, Any]:
        """What moved choices beside `count` levels."""
        if self.beside is None:
            return {}
        covariance = self.spread.covariance[count:, count:]
        effects = self.beside.columns.effects(self.optimum.point[count:], covariance)
        return {"effects": effects, "leanings": self.leanings, "covariate_mean": self.beside.mean}


@dataclass(frozen=True, eq=False)
class _Task:
    """What is fitted, and how."""

    data: Comparisons | Counts
    answers: Answers | None  # with weight
    levels: LevelTable
    prior: Prior | None
    covariance: Covariance
    start: Floats | None  # (m,)

    def plain(self) -> _Found:
        """From counts."""
        optimum, rows = _maximise(self.levels, self.prior, self.start), None
        if isinstance(self.data, Comparisons):
            kept = self.data.select(counted(self.data))
            rows = choice_rows(kept, self.answers, self.levels.table.present).labelled
        point, levels = optimum.point, self.levels
        spread = spread_of(
            rows, self.covariance, optimum.inverse, lambda: meat(point, levels), lambda some: some.scores(point)
        )
        return _Found(optimum, spread, log_likelihood(point, levels))

    def adjusted(self, asked: Adjustment, covariates: ArrayLike | None) -> _Found:
        """From rows."""
        data, present = self.data, self.levels.table.present
        comparisons = rows_of(data) if isinstance(data, Counts) else data
        kept = counted(comparisons)
        if asked.side is not Side.NONE:
            refuse_one_sided(comparisons.outcome[kept] == 1.0, comparisons.outcome[kept] == 0.0)
        beside = level_columns(comparisons, self.answers, covariates, asked, kept)
        rows = choice_rows(comparisons.select(kept), self.answers, present, beside.columns)
        start = np.append(_start(self.levels, self.start), np.zeros(beside.columns.count))
        free = np.zeros((rows.count, rows.count))

        def climb_from(slopes: Slopes, start: Floats) -> Optimum:
            return climb_with_effects(slopes, start, beside.columns, self.prior, free)

        peak = climb_sides(rows, asked.side, rows.annotator, start, climb_from)
        point, inverse = peak.optimum.point, peak.optimum.inverse
        spread = spread_of(
            rows.labelled,
            self.covariance,
            inverse,
            lambda: apart(peak.rows.scores(point), rows.weight),
            lambda _: peak.rows.scores(point),
        )
        return _Found(peak.optimum, spread, peak.rows.log_likelihood(point), beside, peak.leanings)


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

    return climb(penalised, _start(levels, start))


def _start(levels: LevelTable, start: Floats | None) -> Floats:
    """(m,) what was known before, else odds of the counts."""
    return np.log((levels.chosen + 0.5) / (levels.refused + 0.5)) if start is None else start
