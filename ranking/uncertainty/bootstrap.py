"""Bootstrap of Bradley-Terry strengths: whole clusters resampled where votes carry labels, else the collapsed votes.

Votes apart: the counts of the 3·M·(M - 1)/2 kinds of vote are one multinomial draw, so a replicate costs no pass over
the rows. Clustered: prompts (or annotators) are drawn with replacement, all their votes with them; two-way, a vote
counts as often as its annotator times its prompt (Owen 2007, "The pigeonhole bootstrap", Ann. Appl. Stat. 1). That
counts what belongs to one vote alone three times, so two-way replicates are drawn together about the fit, by the linear
map that takes the covariance of such draws, V_annotator + V_prompt + V_both, to the two-way sandwich's,
V_annotator + V_prompt - V_both (`rescaling`). EXACT refits each replicate to its maximum, warm; ONE_STEP is
θ̂ + H⁻¹·(replicate's score), at a fraction of the cost, right to the first order. With a prior the virtual ties are part
of every replicate.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtr, stdtrit

from ..arrays import Floats, Ints
from ..bradley_terry import BOARD_PRIOR, BradleyTerryFit, fit_bradley_terry, row_scores
from ..clusters import Labels, choose_scheme, summed_meat, without_negative_eigenvalues
from ..comparisons import Comparisons
from ..counts import BothBad, Counts, count_matrix
from ..errors import BadParameter, MissingLabels
from ..gauge import Gauge, gauge_weights
from ..newton import Optimum
from ..options import checked
from ..pair_likelihood import maximise, win_probability
from ..pair_table import PairTable, tabulate
from ..priors import Prior
from ..ranks import refuse_unless_comparable
from ..strengths import POINTS_AT_ZERO, POINTS_PER_LOGIT, Covariance, Ratings, two_sided_quantile
from .rescaling import transport

# Below the votes' total by this many standard deviations, a Poisson total exceeds it once in a billion.
POISSON_SHORTFALL = 6.0


class Refit(StrEnum):
    """How a replicate's strengths are found."""

    EXACT = "exact"
    ONE_STEP = "one_step"


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Replicates of a fit's strengths, in its gauge."""

    fit: BradleyTerryFit
    strength: Floats  # (R, M) NaN for contestants that are not present

    def standard_error(self) -> Floats:
        """(M,)"""
        return np.asarray(self.strength.std(axis=0, ddof=1))

    def to_points(self, level: float = 0.95) -> Ratings:
        """The public scale with percentile intervals. Raises BadParameter.

        Clustered, they are those of a higher level, as t with the fit's degrees of freedom has over the normal: plain
        percentiles are as narrow as normal intervals (Hesterberg 2015, "What teachers should know about the
        bootstrap", Amer. Statist. 69, section 5.1).
        """
        tail = 100.0 * float(ndtr(-two_sided_quantile(level, self.fit.clustering.degrees_of_freedom)))
        low, high = np.percentile(self.strength, (tail, 100.0 - tail), axis=0)
        own = self.fit.evidence
        return Ratings(
            points=POINTS_AT_ZERO + POINTS_PER_LOGIT * self.fit.strength,
            standard_error=POINTS_PER_LOGIT * self.standard_error(),
            lower=np.where(own.winless, -np.inf, POINTS_AT_ZERO + POINTS_PER_LOGIT * low),
            upper=np.where(own.undefeated, np.inf, POINTS_AT_ZERO + POINTS_PER_LOGIT * high),
            level=level,
        )

    def probability_best(self) -> Floats:
        """(M,) share of replicates in which each is the largest; 0 for contestants that are not present.

        Raises NotConnected: among groups that never met nobody is the best.
        """
        refuse_unless_comparable(self.fit.evidence.component)
        best = np.nanargmax(self.strength, axis=1)
        return np.asarray(np.bincount(best, minlength=self.strength.shape[1]) / len(self.strength))

    def critical_value(self, level: float = 0.95) -> float:
        """The quantile of max over pairs of |replicate's difference - the fit's| / its standard error.

        As `margin` of rank_ranges it makes all differences of the board hold together, with less than Bonferroni's
        margin as a rule (Mogstad, Romano, Shaikh & Wilhelm 2024, section 3). Clustered, the errors it is counted in
        are themselves estimated, so the quantile is carried over from the normal to Student's t with the fit's degrees
        of freedom, as Bonferroni's is.
        """
        present = self.fit.evidence.present
        moved = (self.strength - self.fit.strength)[:, present]
        error = np.sqrt(self.fit.difference_variance()[np.ix_(present, present)])
        np.fill_diagonal(error, np.inf)
        error[error == 0.0] = np.inf
        component = self.fit.evidence.component[present]
        error[component[:, None] != component[None, :]] = np.inf
        largest = [np.abs((row[:, None] - row[None, :]) / error).max() for row in moved]
        quantile, degrees = float(np.quantile(largest, level)), self.fit.clustering.degrees_of_freedom
        # By the lower tail, where a double does not run out of digits as it does near one.
        return quantile if degrees == np.inf else -float(stdtrit(degrees, float(ndtr(-quantile))))


@checked
def bootstrap_bradley_terry(
    data: Comparisons | Counts,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    refit: Refit = Refit.EXACT,
    covariance: Covariance = Covariance.AUTO,
    prior: Prior | None = BOARD_PRIOR,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
) -> Bootstrap:
    """`draws` replicates. `covariance` says what is resampled: the clusters that fit_bradley_terry takes, or votes.

    Raises BadParameter, NoConvergence (a replicate without a maximum, prior=None), and all of fit_bradley_terry.
    """
    if draws < 2:
        raise BadParameter(f"draws is {draws}; give two or more, 1000 for intervals.")
    if covariance is Covariance.HESSIAN:
        raise BadParameter("The bootstrap resamples votes or clusters; use Covariance.SANDWICH for votes apart.")
    fit = fit_bradley_terry(data, prior=prior, covariance=covariance, gauge=gauge, both_bad=both_bad)
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    optimum = maximise(table.credit, table.total, prior, fit.strength[table.index])
    resampled = _Resampling(optimum, table, prior, refit)
    kind = fit.clustering.kind
    rows = table.labelled_rows(data, both_bad)
    if kind is Covariance.SANDWICH:
        found = resampled.of_votes(draws, rng)
    elif rows is None:
        raise MissingLabels(f"{kind} needs comparisons with annotator or prompt labels.")
    else:
        found = resampled.of_clusters(rows, choose_scheme(rows, kind).labels, draws, rng)
        if kind is Covariance.TWO_WAY:
            found = optimum.point + (found - optimum.point) @ resampled.narrowing(rows)
    weights = gauge_weights(gauge, table)
    strength = np.full((draws, len(table.present)), np.nan)
    strength[:, table.present] = found - (found @ weights)[:, None]
    return Bootstrap(fit, strength)


@dataclass(frozen=True, eq=False)
class _Resampling:
    optimum: Optimum  # of the data; with a prior its location matters
    table: PairTable
    prior: Prior | None
    refit: Refit

    def of_votes(self, draws: int, rng: np.random.Generator) -> Floats:
        """(R, m)"""
        wins, ties = self.table.wins, np.triu(self.table.ties)
        won, drawn = np.nonzero(wins), np.nonzero(ties)
        counts = np.concatenate((wins[won], ties[drawn]))
        size, found = max(round(float(counts.sum())), 1), np.empty((draws, len(wins)))
        unit = float(counts.sum()) / size
        cumulative = np.cumsum(counts)
        for place in range(draws):
            kind = multinomial(size, cumulative, rng) * unit
            again, level = np.zeros_like(wins), np.zeros_like(wins)
            again[won], level[drawn] = kind[: len(won[0])], kind[len(won[0]) :]
            found[place] = self._refitted(again + 0.5 * (level + level.T))
        return found

    def of_clusters(
        self, rows: Comparisons, labels: tuple[Labels, ...], draws: int, rng: np.random.Generator
    ) -> Floats:
        """(R, m)"""
        if self.refit is Refit.ONE_STEP:
            return self._stepped(rows, labels, draws, rng)
        found = np.empty((draws, rows.count))
        weight = np.ones(len(rows)) if rows.weight is None else rows.weight
        cell, size = rows.a * rows.count + rows.b, rows.count * rows.count
        for place in range(draws):
            times = _times(labels, rng) * weight
            won = np.bincount(cell, weights=times * rows.outcome, minlength=size)
            lost = np.bincount(cell, weights=times * (1.0 - rows.outcome), minlength=size)
            wins = np.asarray(won.reshape(rows.count, -1) + lost.reshape(rows.count, -1).T, dtype=np.float64)
            np.fill_diagonal(wins, 0.0)
            found[place] = self._refitted(wins)
        return found

    def narrowing(self, rows: Comparisons) -> Floats:
        """(m, m) from the covariance of two-way draws, to the first order, to that of the two-way sandwich."""
        scores, bread = row_scores(rows, self.optimum.point), self.optimum.inverse
        annotator, prompt = choose_scheme(rows, Covariance.TWO_WAY).labels
        own, asked, both = (
            bread @ summed_meat(labels, scores) @ bread for labels in (annotator, prompt, annotator.crossed(prompt))
        )
        return transport(own + asked + both, without_negative_eigenvalues(own + asked - both))

    def _refitted(self, wins: Floats) -> Floats:
        """(m,) from wins with half ties (m, m)."""
        point, total, credit = self.optimum.point, wins + wins.T, wins.sum(axis=1)
        if self.refit is Refit.EXACT:
            return maximise(credit, total, self.prior, point).point
        slope = credit - (total * win_probability(point)).sum(axis=1)
        return np.asarray(point + self.optimum.inverse @ (slope + self._own_slope()))

    def _own_slope(self) -> Floats | float:
        return 0.0 if self.prior is None else self.prior.gradient(self.optimum.point)

    def _stepped(self, rows: Comparisons, labels: tuple[Labels, ...], draws: int, rng: np.random.Generator) -> Floats:
        """Scores are summed by cluster once; two-way they are weighed row by row in each replicate."""
        scores = row_scores(rows, self.optimum.point)
        if len(labels) == 1:
            one, size = labels[0], len(rows)
            scores = csr_array((np.ones(size), (one.code, np.arange(size))), shape=(one.count, size)) @ scores
            labels = (Labels(np.arange(one.count), one.count),)
        slopes = np.array([_times(labels, rng) @ scores for _ in range(draws)])
        return np.asarray(self.optimum.point + (slopes + self._own_slope()) @ self.optimum.inverse)


def multinomial(size: int, cumulative: Floats, rng: np.random.Generator) -> Ints:
    """(K,) exactly multinomial counts of `size` votes over kinds whose cumulative weights are given.

    Poisson counts given their total are multinomial; a total kept short is filled up by single draws. For many kinds
    that takes half the time of the generator's own chain of binomials.
    """
    total, short = float(cumulative[-1]), POISSON_SHORTFALL / np.sqrt(size)
    chances = np.diff(cumulative, prepend=0.0) / total
    if short < 1.0 and len(chances) > POISSON_SHORTFALL * np.sqrt(size):
        counts = rng.poisson(chances * (size * (1.0 - short)))
        missing = size - int(counts.sum())
        if missing >= 0:
            kinds = np.searchsorted(cumulative, rng.random(missing) * total, side="right")
            return np.asarray(counts + np.bincount(kinds, minlength=len(counts))[: len(counts)])
    return np.asarray(rng.multinomial(size, chances / chances.sum()))


def _times(labels: tuple[Labels, ...], rng: np.random.Generator) -> Floats:
    """(n,) how often each row is drawn: its cluster's multiplicity, the product of both two-way."""
    times = np.ones(len(labels[0].code))
    for one in labels:
        drawn = np.bincount(rng.integers(0, one.count, one.count), minlength=one.count)
        times *= drawn[one.code]
    return times
