"""Bradley-Terry on grades -K..K: P(grade ≤ k) = σ(c_k - d), d = θ_i - θ_j, with symmetric cuts.

Agresti 1992, "Analysis of ordinal paired comparison data", J. R. Stat. Soc. C 41, section 3, the cumulative
logit model. Swapping the sides turns g into -g, so the 2K cuts are ±c_1..±c_K and `cuts` holds the upper half: a
preference of strength k or more has probability σ(d - c_k). Three levels are Rao & Kupper 1967, "Ties in
paired-comparison experiments: a generalization of the Bradley-Terry model", JASA 62, with η = c_1.

A strength that nobody used in the middle is merged: its two cuts coincide, which is the maximum. Above the
greatest that was used the cut is infinite, and without ties c_1 is zero. With one strength and no tie the model is
Bradley-Terry. Strengths and cuts climb together by Newton, on counts per pair and grade, so the cost does not
grow with votes. Settings as in `bradley_terry`; cuts have no prior.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, nan
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from .arrays import Bools, Floats
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW, warm_start
from .clusters import Scores, spread_of
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .errors import NoTies, OnlyTies
from .gauge import Gauge, gauge_weights, in_gauge
from .grade_counts import GradeCounts, count_grades
from .grade_likelihood import (
    Categories,
    GradeTable,
    derivatives,
    log_likelihood,
    meat,
    room_of_cuts,
    slopes,
    start_of_cuts,
)
from .newton import Optimum, add_to_diagonal, climb, refuse_flat
from .options import checked
from .pair_likelihood import win_rate_logits
from .pair_table import PairTable, tabulate
from .priors import Prior
from .strengths import Covariance, Evidence, StrengthFit


@dataclass(frozen=True, eq=False, kw_only=True)
class OrdinalFit(StrengthFit):
    """A `StrengthFit` with the cuts between grades; `strength` is on the latent logistic scale."""

    cuts: Floats  # (K,) c_1 ≤ ... ≤ c_K; inf above the greatest strength in use, equal around an unused one
    cut_covariance: Floats  # (K, K) zero where c_1 is fixed, NaN where a cut is infinite
    prior: Prior | None
    both_bad: BothBad

    @property
    def levels(self) -> int:
        """K."""
        return len(self.cuts)

    def cut_standard_error(self) -> Floats:
        """(K,)"""
        return np.asarray(np.sqrt(np.maximum(self.cut_covariance.diagonal(), 0.0)))

    def grade_probability(self) -> Floats:
        """(2K + 1, M, M) [K + g, i, j] = P(grade g of i over j); sums to one over the first axis."""
        edges = np.concatenate((-self.cuts[::-1], self.cuts))[:, None, None]
        below = expit(edges - (self.strength[:, None] - self.strength[None, :]))
        return np.diff(below, axis=0, prepend=0.0, append=1.0)

    def win_probability(self) -> Floats:
        """(M, M) P(i is preferred over j); with its transpose and `tie_probability` it sums to one."""
        return np.asarray(expit(self.strength[:, None] - self.strength[None, :] - self.cuts[0]))

    def tie_probability(self) -> Floats:
        """(M, M)"""
        won = self.win_probability()
        return np.asarray(1.0 - won - won.T)

    def information(self) -> Floats:
        """(M, M) Fisher information of one judgment about θ_i - θ_j: Σ_g (dP_g/dd)²/P_g."""
        edges = np.concatenate((-self.cuts[::-1], self.cuts))[:, None, None]
        below = expit(edges - (self.strength[:, None] - self.strength[None, :]))
        chance = np.diff(below, axis=0, prepend=0.0, append=1.0)
        slope = np.diff(below * (1.0 - below), axis=0, prepend=0.0, append=0.0)
        return np.divide(slope**2, chance, out=np.zeros_like(chance), where=chance > 0).sum(axis=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class RaoKupperFit(OrdinalFit):
    """P(i over j) = σ(d - η), a tie between. Rao and Kupper's own parameters are e^θ and e^η."""

    @property
    def eta(self) -> float:
        """η > 0; a tie between equals has probability tanh(η/2)."""
        return float(self.cuts[0])

    @property
    def eta_standard_error(self) -> float:
        return float(self.cut_standard_error()[0])


_Kind = TypeVar("_Kind", bound=OrdinalFit)


@dataclass(frozen=True, eq=False)
class _Settings:
    prior: Prior | None
    covariance: Covariance
    gauge: Gauge | int
    both_bad: BothBad
    floor: bool
    provisional_below: float
    start: Floats | None


@checked
def fit_ordinal(
    data: Comparisons | GradeCounts,
    *,
    levels: int = 3,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
    start: Floats | None = None,
) -> OrdinalFit:
    """Strengths of every contestant with a comparison and `levels` cuts, at the joint maximum.

    Raises MissingLabels where a strength was not said, BadOutcome where one is above `levels`, OnlyTies where
    zero is the only level in use, and all that fit_bradley_terry does.
    """
    settings = _Settings(prior, covariance, gauge, both_bad, floor, provisional_below, start)
    grades = data if isinstance(data, GradeCounts) else count_grades(data, levels)
    table = tabulate(grades.counts, both_bad)
    rows = None if isinstance(data, GradeCounts) else table.labelled_rows(data, both_bad)
    return _fit(OrdinalFit, grades, table, rows, settings)


@checked
def fit_rao_kupper(
    data: Comparisons | Counts,
    *,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
    start: Floats | None = None,
) -> RaoKupperFit:
    """The ordinal model with three levels; strengths of preferences, where there are any, are not looked at.

    Raises NoTies without any (fit_bradley_terry says the same), and all that fit_ordinal does.
    """
    settings = _Settings(prior, covariance, gauge, both_bad, floor, provisional_below, start)
    counts = data if isinstance(data, Counts) else count_matrix(data)
    table = tabulate(counts, both_bad)
    if not table.tie_total:
        raise NoTies("There is no tie, so η would be zero; use fit_bradley_terry, which then says the same.")
    rows = table.labelled_rows(data, both_bad)
    if rows is not None:
        rows = replace(rows, strength=(rows.outcome != 0.5).astype(np.int64))
    return _fit(RaoKupperFit, GradeCounts.of(counts), table, rows, settings)


def _fit(
    kind: type[_Kind], grades: GradeCounts, table: PairTable, rows: Comparisons | None, settings: _Settings
) -> _Kind:
    if not table.wins.any() and not table.own_wins.any():
        raise OnlyTies("Every comparison is a tie: one level in use leaves no cut; use fit_bradley_terry with a prior.")
    graded = _graded(grades, table, settings.both_bad)
    bounding = _bounding(table, graded)
    if settings.prior is None:
        bounding.groups.refuse_unless_bounded(table.index)
    optimum = _maximise(graded, settings.prior, _first(settings.start, table))
    spread = spread_of(
        rows,
        settings.covariance,
        optimum.inverse,
        lambda: meat(optimum.point, graded),
        lambda some: _scores(some, optimum.point, graded),
    )
    strength, cuts = graded.split(optimum.point)
    weights = gauge_weights(settings.gauge, table)
    present = slice(0, len(strength))
    reported = _reported(graded.categories, grades.levels)
    return kind(
        strength=table.embed(strength - weights @ strength, nan),
        covariance=table.embed_square(in_gauge(spread.covariance[present, present], weights)),
        hessian_covariance=table.embed_square(in_gauge(optimum.inverse[present, present], weights)),
        gauge=table.embed(weights, 0.0),
        evidence=_evidence(table, bounding, settings.provisional_below),
        clustering=spread.clustering,
        floor=settings.floor,
        log_likelihood=log_likelihood(optimum.point, graded),
        iterations=optimum.steps,
        notes=spread.notes + bounding.groups.notes,
        cuts=reported.cuts(cuts),
        cut_covariance=reported.covariance(spread.covariance[len(strength) :, len(strength) :]),
        prior=settings.prior,
        both_bad=settings.both_bad,
    )


def _graded(grades: GradeCounts, table: PairTable, both_bad: BothBad) -> GradeTable:
    """Strengths that nobody used are dropped, which merges them with the next one up."""
    ties = grades.counts.tied(both_bad)
    planes = np.stack((0.5 * ties, *(grades.wins(magnitude) for magnitude in range(1, grades.levels + 1))))
    if not table.present.all():
        planes = planes[:, table.present][:, :, table.present]
    used = np.flatnonzero(planes.any(axis=(1, 2)))
    return GradeTable(Categories(used), planes[used])


def _bounding(table: PairTable, graded: GradeTable) -> PairTable:
    """The same comparisons by what they bound: a preference below the greatest strength holds from both sides.

    So like a tie it joins i and j both ways, and who was never preferred may yet have a strength.
    """
    met, used = table.wins > 0, graded.categories.used
    partly = np.where(met, graded.wins[:-1][used[:-1] > 0].sum(axis=0), 0.0)
    return replace(table, wins=np.where(met, graded.wins[-1], 0.0), ties=table.ties + partly + partly.T)


def _evidence(table: PairTable, bounding: PairTable, provisional_below: float) -> Evidence:
    """Undefeated is who was preferred with the greatest strength always, winless who was beaten so."""
    decisive = table.embed(table.wins.sum(axis=0) + table.wins.sum(axis=1), 0.0)
    held = bounding.evidence(0.0)
    few = held.present & (decisive < provisional_below)
    return replace(held, decisive=decisive, provisional=held.provisional | few)


def _first(start: Floats | None, table: PairTable) -> Floats:
    """(m,) where the climb begins: each contestant's own logit unless `start` is given."""
    warm = warm_start(start, table)
    return win_rate_logits(table.credit, table.total) if warm is None else warm


def _maximise(table: GradeTable, prior: Prior | None, start: Floats) -> Optimum:
    count = table.wins.shape[1]

    def penalised(point: Floats) -> tuple[Floats, Floats]:
        slope, information = derivatives(point, table)
        strengths = np.ascontiguousarray(information[:count, :count])
        if prior is None:
            strengths += strengths.trace() / strengths.size
        else:
            slope[:count] += prior.gradient(point[:count])
            add_to_diagonal(strengths, prior.curvature(point[:count]))
        information[:count, :count] = strengths
        return slope, information

    first = np.concatenate((start - start.mean(), start_of_cuts(table)))
    optimum = climb(penalised, first, lambda point, step: room_of_cuts(point, step, table))
    if prior is None:
        refuse_flat(optimum, float(table.wins[table.wins > 0].min()))
    return optimum


def _scores(rows: Comparisons, point: Floats, table: GradeTable) -> Scores:
    """(n, m + J) gradient of each row's log-likelihood in θ and the cuts."""
    strength, cuts = table.split(point)
    categories = table.categories
    low, high = categories.edges(cuts)
    grade = np.where(rows.outcome == 0.5, 0, rows.grade)
    category = np.searchsorted(categories.used, np.abs(grade))
    better, worse = np.where(grade >= 0, rows.a, rows.b), np.where(grade >= 0, rows.b, rows.a)
    found = slopes(strength[better] - strength[worse], low[category], high[category])
    edges = found.low[:, None] * categories.lower[category] + found.high[:, None] * categories.upper[category]
    values = np.column_stack((found.difference, -found.difference, edges))
    if rows.weight is not None:
        values *= rows.weight[:, None]
    last = np.broadcast_to(len(strength) + np.arange(len(cuts)), edges.shape)
    columns = np.column_stack((better, worse, last))
    starts = np.arange(0, values.size + 1, values.shape[1])
    return csr_array((values.ravel(), columns.ravel(), starts), shape=(len(rows), len(point)))


@dataclass(frozen=True, eq=False)
class _Reported:
    """How the K cuts of the scale follow from the J that were fitted."""

    matrix: Floats  # (K, J)
    infinite: Bools  # (K,)

    def cuts(self, fitted: Floats) -> Floats:
        return np.where(self.infinite, inf, self.matrix @ fitted)

    def covariance(self, fitted: Floats) -> Floats:
        unknown = self.infinite[:, None] | self.infinite[None, :]
        return np.where(unknown, nan, self.matrix @ fitted @ self.matrix.T)


def _reported(categories: Categories, levels: int) -> _Reported:
    """c_k is the lower edge of the weakest strength in use that is k or more."""
    first = np.searchsorted(categories.used, np.arange(1, levels + 1))
    infinite = first == len(categories.used)
    return _Reported(categories.lower[np.where(infinite, 0, first)], infinite)
