"""Strengths with covariates: logit P(A preferred) = θ_a - θ_b + x·β, x of A minus B; ties as `Response` says.

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
from ..bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW
from ..clusters import Spread, spread_of
from ..comparisons import Comparisons
from ..counts import BothBad, Counts, count_matrix
from ..errors import BadCovariate, BadParameter, NoConvergence
from ..gauge import Gauge, gauge_weights, in_gauge
from ..newton import Optimum, add_to_diagonal, climb
from ..pair_table import PairTable, tabulate
from ..priors import Prior
from ..strengths import Covariance, StrengthFit, two_sided_quantile
from .adjustment import Effects
from .design import Design, Side, design, refuse_collinear, rows_of
from .responses import Response
from .scores import scores, without_leanings
from .side import Leanings, improved, leaning_variance, no_leanings, refuse_one_sided
from .sums import Parameters, gradient_and_information, log_likelihood, meat
from .unadjusted import Plain, Settings, fit_plain

# Leanings and the rest are nearly orthogonal where sides are drawn by a coin, so few rounds suffice.
MOST_ROUNDS = 100
SETTLED = 1e-7


@dataclass(frozen=True, eq=False, kw_only=True)
class AdjustedFit(StrengthFit):
    """A `StrengthFit` at equal covariates and without a side, with the board that does not adjust."""

    unadjusted: StrengthFit  # of the same model: BradleyTerryFit, DavidsonFit, RaoKupperFit or OrdinalFit
    effects: Effects
    response: Response
    shape: Floats  # (q,) none with half ties, ln ν, or the cuts between the grades in use
    shape_covariance: Floats  # (q, q)
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
        """σ(side): how often A is preferred among equals, of their preferences under half ties and Davidson; ½
        if no side was fitted."""
        names = self.effects.names
        return float(expit(self.effects.value[names.index("side")])) if "side" in names else 0.5


def fit_with_covariates(
    data: Comparisons | Counts,
    *,
    side: Side = Side.COMMON,
    response: Response = Response.HALF_TIES,
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
    name), BadParameter, and all that the unadjusted model's own fit does.
    """
    if not (isfinite(penalty) and penalty >= 0.0):
        raise BadParameter(f"penalty is {penalty}; give 0 for none, or a positive number.")
    counts = data if isinstance(data, Counts) else count_matrix(data)
    settings = Settings(prior, covariance, gauge, both_bad, floor, provisional_below)
    plain = fit_plain(data, counts, response, settings)
    table = tabulate(counts, both_bad)
    if side is not Side.NONE:
        refuse_one_sided(counts.a_wins, counts.b_wins)
    columns = design(_rows(data, counts, side, response), side, both_bad, names, plain.answers)
    if not columns.names:
        raise BadCovariate("There is nothing to adjust for; give covariates or ask for a side.")
    terms = _Terms(prior, penalty, plain)
    found, leanings = _maximise(columns, table, side, terms)
    return _result(found, *_spread(data, covariance, found, leanings), terms, settings, leanings, response)


@dataclass(frozen=True, eq=False)
class _Terms:
    """What is added to the likelihood, and where to start."""

    prior: Prior | None
    penalty: float
    plain: Plain


@dataclass(frozen=True, eq=False)
class _Point:
    """An optimum (m + k + q,) of a design."""

    optimum: Optimum
    table: PairTable
    design: Design

    @property
    def parameters(self) -> Parameters:
        """Over all M contestants."""
        return Parameters.of(self.optimum.point, self.table.present, len(self.design.names))


def _result(
    found: _Point,
    spread: Spread,
    inverse: Floats,
    terms: _Terms,
    settings: Settings,
    leanings: Leanings | None,
    response: Response,
) -> AdjustedFit:
    table, columns, point = found.table, found.design, found.optimum.point
    weights, m, k = gauge_weights(settings.gauge, table), len(table.index), len(columns.names)
    return AdjustedFit(
        strength=table.embed(point[:m] - weights @ point[:m], nan),
        covariance=table.embed_square(in_gauge(spread.covariance[:m, :m], weights)),
        hessian_covariance=table.embed_square(in_gauge(inverse[:m, :m], weights)),
        gauge=table.embed(weights, 0.0),
        evidence=table.evidence(settings.provisional_below),
        clustering=spread.clustering,
        floor=settings.floor,
        log_likelihood=log_likelihood(columns, found.parameters),
        iterations=found.optimum.steps,
        notes=spread.notes + table.groups.notes,
        unadjusted=terms.plain.fit,
        effects=Effects(columns.names, point[m : m + k], spread.covariance[m : m + k, m : m + k], columns.scale),
        response=response,
        shape=point[m + k :],
        shape_covariance=spread.covariance[m + k :, m + k :],
        leanings=leanings,
        penalty=terms.penalty,
        prior=settings.prior,
        both_bad=settings.both_bad,
    )


def _rows(data: Comparisons | Counts, counts: Counts, side: Side, response: Response) -> Comparisons:
    """Rows for the pass: those given, or the collapsed ones where only the common side is wanted."""
    collapsible = response is not Response.GRADES and side is not Side.ANNOTATOR
    if isinstance(data, Counts) or (collapsible and data.covariates is None):
        return rows_of(counts)
    return data


def _maximise(columns: Design, table: PairTable, side: Side, terms: _Terms) -> tuple[_Point, Leanings | None]:
    first = terms.plain.fit.strength[table.index], np.zeros(len(columns.names)), terms.plain.shape
    found = _climb(columns, table, terms, np.concatenate(first), check=True)
    annotator = columns.rows.annotator
    if side is not Side.ANNOTATOR:
        return found, None
    leanings = no_leanings(annotator)
    variance = leaning_variance(columns, found.parameters, leanings)
    if annotator is None or variance == 0.0:
        return found, leanings
    intercept = len(table.index) + len(columns.names) - 1
    for _ in range(MOST_ROUNDS):
        before = leanings.deviation
        leanings, shift = improved(columns, found.parameters, leanings, variance)
        columns = columns.on(columns.rows, leanings.of(annotator))
        start = found.optimum.point.copy()
        start[intercept] += shift
        found = _climb(columns, table, terms, start)
        if float(np.abs(leanings.deviation - before).max()) < SETTLED:
            return found, leanings
    raise NoConvergence(f"Annotators' leanings did not settle in {MOST_ROUNDS} rounds; use Side.COMMON.")


def _climb(columns: Design, table: PairTable, terms: _Terms, start: Floats, *, check: bool = False) -> _Point:
    m, k, shapes = len(table.index), len(columns.names), columns.answers.size
    penalties = np.zeros(m + k + shapes)
    penalties[m : m + k - int(columns.side)] = terms.penalty

    def penalised(point: Floats) -> tuple[Floats, Floats]:
        at = Parameters.of(point, table.present, k)
        slope, information = gradient_and_information(columns, at, table.present)
        if check and point is start:
            together = (table.groups.weak[:, None] == table.groups.weak[None, :]).astype(np.float64)
            refuse_collinear(information[: m + k, : m + k], columns.names, together)
        diagonal = penalties.copy()
        slope -= penalties * point
        if terms.prior is None:
            information[:m, :m] += information[:m, :m].trace() / (m * m)
        else:
            slope[:m] += terms.prior.gradient(point[:m])
            diagonal[:m] = terms.prior.curvature(point[:m])
        add_to_diagonal(information, diagonal)
        return slope, information

    def room(point: Floats, step: Floats) -> float:
        return columns.answers.room(point[m + k :], step[m + k :])

    try:
        return _Point(climb(penalised, start, room), table, columns)
    except NoConvergence as refusal:
        raise NoConvergence(
            f"{refusal} If a covariate alone decides the votes, give penalty=1.0 or leave it out."
        ) from refusal


def _spread(
    data: Comparisons | Counts, wanted: Covariance, found: _Point, leanings: Leanings | None
) -> tuple[Spread, Floats]:
    """With the inverse information; leanings are drawn from N(0, ρ²), not known."""
    columns, table, at = found.design, found.table, found.parameters
    rows, inverse = table.labelled_rows(data, columns.both_bad), found.optimum.inverse
    present = Parameters(at.strength[table.present], at.effect, at.shape)
    if rows is None or leanings is None or leanings.variance == 0.0 or rows.annotator is None:
        return spread_of(
            rows,
            wanted,
            inverse,
            lambda: meat(columns, at, table.present),
            lambda some: scores(columns.on(some), present),
        ), inverse
    factor, on = found.optimum.factor, columns.on(rows, leanings.of(rows.annotator))
    rest = without_leanings(on, present, leanings, factor @ factor.T)
    spread = spread_of(rows, wanted, rest.inverse, lambda: rest.meat(rows.weight), lambda _: csr_array(rest.scores))
    return spread, rest.inverse
