"""Bradley-Terry with covariates: logit P(A preferred) = θ_a - θ_b + x·β, x of A minus B, a tie as half a win.

What public boards call style control (length, headings, lists, bold, code) and the bias to the side shown first are
such covariates, and latency is another. Maximised is ℓ(θ, β) + ln prior(θ) - penalty/2·Σ β², with β per root mean
square of its covariate and ℓ the SUM over votes: a penalty of 1 weighs as much as about four votes, and not, as where
a mean loss is penalised, as n of them. The side's intercept is not penalised. Newton's method runs to the exact
maximum and nothing is added to the information that stands behind the intervals. The sandwich (`clusters`) is joint in
θ and β. Rows of a contestant with itself say nothing of the order but count for β.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from ..arrays import Floats
from ..bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW, BradleyTerryFit, fit_bradley_terry
from ..clusters import Scores, Spread, spread_of
from ..comparisons import Comparisons
from ..counts import BothBad, Counts, count_matrix
from ..errors import BadCovariate, BadParameter, NoConvergence
from ..gauge import Gauge, gauge_weights, in_gauge
from ..newton import Optimum, add_to_diagonal, climb
from ..pair_table import PairTable, tabulate
from ..priors import Prior
from ..strengths import Covariance, StrengthFit, two_sided_quantile
from .design import Design, Side, design, refuse_collinear, rows_of
from .side import Leanings, improved, leaning_variance, no_leanings
from .sums import gradient_and_information, log_likelihood, meat, residuals

# Leanings and the rest are nearly orthogonal where sides are drawn by a coin, so few rounds suffice.
MOST_ROUNDS = 100
SETTLED = 1e-7


@dataclass(frozen=True, eq=False)
class Effects:
    """What moved votes besides strength, in logits."""

    names: tuple[str, ...]  # (k,) covariates, then "side" if it was fitted
    value: Floats  # (k,) per `scale`
    covariance: Floats  # (k, k) under the fit's clustering
    scale: Floats  # (k,) root mean square of the covariate, by which it was divided; 1 for the side

    @property
    def per_unit(self) -> Floats:
        """(k,) per unit of each covariate as it was given."""
        return self.value / self.scale

    def standard_error(self) -> Floats:
        """(k,)"""
        return np.asarray(np.sqrt(np.maximum(self.covariance.diagonal(), 0.0)))


@dataclass(frozen=True, eq=False, kw_only=True)
class AdjustedFit(StrengthFit):
    """A `StrengthFit` at equal covariates and without a side, with the board that does not adjust."""

    unadjusted: BradleyTerryFit
    effects: Effects
    leanings: Leanings | None  # under Side.ANNOTATOR
    penalty: float  # on the sum scale
    prior: Prior | None
    both_bad: BothBad

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Two-sided Wald interval of one effect, per `scale`. Raises BadCovariate for a name that was not fitted."""
        if name not in self.effects.names:
            raise BadCovariate(f"{name!r} was not fitted; choose from {', '.join(self.effects.names)}.")
        index = self.effects.names.index(name)
        error = float(self.effects.standard_error()[index])
        reach = two_sided_quantile(level, self.clustering.degrees_of_freedom) * error
        return float(self.effects.value[index]) - reach, float(self.effects.value[index]) + reach

    def first_side_probability(self) -> float:
        """P(the response shown as A is preferred) among equals; ½ if no side was fitted."""
        names = self.effects.names
        return float(expit(self.effects.value[names.index("side")])) if "side" in names else 0.5


def fit_with_covariates(
    data: Comparisons | Counts,
    *,
    side: Side = Side.COMMON,
    names: Sequence[str] | None = None,
    penalty: float = 0.0,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
) -> AdjustedFit:
    """Strengths and effects at the joint maximum, and the unadjusted board of the same rows.

    Without covariates only the side is fitted, from the unfolded counts: cheap at any number of rows. `names` (k,)
    are for messages and results. Raises BadCovariate (nothing to adjust for; a constant or collinear column, by
    name), BadParameter, and all that fit_bradley_terry does.
    """
    if not (isfinite(penalty) and penalty >= 0.0):
        raise BadParameter(f"penalty is {penalty}; give 0 for none, or a positive number.")
    counts = data if isinstance(data, Counts) else count_matrix(data)
    unadjusted = fit_bradley_terry(
        data if not isinstance(data, Counts) and _is_labelled(data) else counts,
        prior=prior,
        covariance=covariance,
        gauge=gauge,
        both_bad=both_bad,
        floor=floor,
        provisional_below=provisional_below,
    )
    table = tabulate(counts, both_bad)
    if side is not Side.NONE:
        _refuse_one_sided(counts)
    columns = design(_rows(data, counts, side), side, both_bad, names)
    if not columns.names:
        raise BadCovariate("There is nothing to adjust for; give covariates, ask for a side, or fit_bradley_terry.")
    optimum, columns, leanings = _maximise(columns, table, side, _Terms(prior, penalty, unadjusted.strength))
    point = _Point(optimum, table, columns)
    spread = _spread(data, covariance, point, leanings)
    weights, m = gauge_weights(gauge, table), len(table.index)
    strength = optimum.point[:m] - weights @ optimum.point[:m]
    return AdjustedFit(
        strength=table.embed(strength, nan),
        covariance=table.embed_square(in_gauge(spread.covariance[:m, :m], weights)),
        hessian_covariance=table.embed_square(in_gauge(optimum.inverse[:m, :m], weights)),
        gauge=table.embed(weights, 0.0),
        evidence=table.evidence(provisional_below),
        clustering=spread.clustering,
        floor=floor,
        log_likelihood=log_likelihood(columns, point.strength, point.effect),
        iterations=optimum.steps,
        notes=spread.notes + table.groups.notes,
        unadjusted=unadjusted,
        effects=Effects(columns.names, point.effect, spread.covariance[m:, m:], columns.scale),
        leanings=leanings,
        penalty=penalty,
        prior=prior,
        both_bad=both_bad,
    )


@dataclass(frozen=True, eq=False)
class _Terms:
    """What is added to the likelihood, and where to start."""

    prior: Prior | None
    penalty: float
    start: Floats  # (M,) unadjusted strengths


@dataclass(frozen=True, eq=False)
class _Point:
    """An optimum read over all M contestants."""

    optimum: Optimum
    table: PairTable
    design: Design

    @property
    def strength(self) -> Floats:
        """(M,) zero where absent."""
        return self.table.embed(self.optimum.point[: len(self.table.index)], 0.0)

    @property
    def effect(self) -> Floats:
        """(k,)"""
        return self.optimum.point[len(self.table.index) :]


def _is_labelled(rows: Comparisons) -> bool:
    return rows.annotator is not None or rows.prompt is not None


def _rows(data: Comparisons | Counts, counts: Counts, side: Side) -> Comparisons:
    """Rows for the pass: those given, or the collapsed ones where only the common side is wanted."""
    if isinstance(data, Counts) or (data.covariates is None and side is not Side.ANNOTATOR):
        return rows_of(counts)
    return data


def _refuse_one_sided(counts: Counts) -> None:
    """Raises BadCovariate."""
    if not counts.a_wins.any() or not counts.b_wins.any():
        raise BadCovariate(
            "side: every preference went to one side, so its gain has no bound. Counts.of folds the sides; keep both "
            "planes, or use Side.NONE."
        )


def _maximise(columns: Design, table: PairTable, side: Side, terms: _Terms) -> tuple[Optimum, Design, Leanings | None]:
    start = np.append(terms.start[table.index], np.zeros(len(columns.names)))
    optimum = _climb(columns, table, terms, start)
    annotator = columns.rows.annotator
    if side is not Side.ANNOTATOR:
        return optimum, columns, None
    leanings = no_leanings(annotator)
    point = _Point(optimum, table, columns)
    variance = leaning_variance(columns, point.strength, point.effect, leanings)
    if annotator is None or variance == 0.0:
        return optimum, columns, leanings
    for _ in range(MOST_ROUNDS):
        before = leanings.deviation
        leanings, shift = improved(columns, point.strength, point.effect, leanings, variance)
        columns = columns.on(columns.rows, leanings.of(annotator))
        optimum = _climb(columns, table, terms, np.append(optimum.point[:-1], optimum.point[-1] + shift))
        point = _Point(optimum, table, columns)
        if float(np.abs(leanings.deviation - before).max()) < SETTLED:
            return optimum, columns, leanings
    raise NoConvergence(f"Annotators' leanings did not settle in {MOST_ROUNDS} rounds; use Side.COMMON.")


def _climb(columns: Design, table: PairTable, terms: _Terms, start: Floats) -> Optimum:
    m = len(table.index)
    together = (table.groups.weak[:, None] == table.groups.weak[None, :]).astype(np.float64)
    penalties = np.full(len(columns.names), terms.penalty)
    if columns.side:
        penalties[-1] = 0.0

    def penalised(point: Floats) -> tuple[Floats, Floats]:
        strength, effect = point[:m], point[m:]
        slope, information = gradient_and_information(columns, table.embed(strength, 0.0), effect, table.present)
        if point is start:
            refuse_collinear(information, columns.names, together)
        diagonal = np.concatenate((np.zeros(m), penalties))
        slope[m:] -= penalties * effect
        if terms.prior is None:
            information[:m, :m] += information[:m, :m].trace() / (m * m)
        else:
            slope[:m] += terms.prior.gradient(strength)
            diagonal[:m] = terms.prior.curvature(strength)
        add_to_diagonal(information, diagonal)
        return slope, information

    try:
        return climb(penalised, start)
    except NoConvergence as refusal:
        raise NoConvergence(
            f"{refusal} If a covariate alone decides the votes, give penalty=1.0 or leave it out."
        ) from refusal


def _spread(data: Comparisons | Counts, wanted: Covariance, point: _Point, leanings: Leanings | None) -> Spread:
    columns, present = point.design, point.table.present
    rows = point.table.labelled_rows(data, columns.both_bad)

    def scores(some: Comparisons) -> Scores:
        own = None if leanings is None or some.annotator is None else leanings.of(some.annotator)
        return _scores(columns.on(some, own), point.optimum.point[: some.count], point.effect)

    inverse = point.optimum.inverse
    return spread_of(rows, wanted, inverse, lambda: meat(columns, point.strength, point.effect, present), scores)


def _scores(columns: Design, strength: Floats, effect: Floats) -> Scores:
    """(n, m + k) gradient of each row's log-likelihood: w·(y - p)·(e_a - e_b, x)."""
    rows, k = columns.rows, len(effect)
    values, done = np.empty((len(rows), 2 + k)), 0
    for part in residuals(columns, strength, effect):
        left = part.left if part.block.weight is None else part.left * part.block.weight
        some = slice(done, done + len(left))
        values[some, 0], values[some, 1] = left, -left
        np.multiply(part.block.columns.T, left[:, None], out=values[some, 2:])
        done += len(left)
    places = np.empty((len(rows), 2 + k), dtype=np.int64)
    places[:, 0], places[:, 1], places[:, 2:] = rows.a, rows.b, rows.count + np.arange(k)
    starts = np.arange(0, values.size + 1, 2 + k)
    return csr_array((values.ravel(), places.ravel(), starts), shape=(len(rows), rows.count + k))
