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
from scipy.special import expit

from ..arrays import Floats
from ..bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW
from ..clusters import Scores, Spread, apart, spread_of
from ..comparisons import Comparisons
from ..counts import BothBad, Counts, count_matrix
from ..errors import BadCovariate, BadParameter
from ..gauge import Gauge, gauge_weights, in_gauge
from ..newton import Optimum
from ..options import checked
from ..pair_table import PairTable, tabulate
from ..priors import Prior
from ..strengths import Covariance, StrengthFit, two_sided_quantile
from .adjustment import Columns, Effects
from .ascent import climb_with_effects
from .design import Design, Side, design, rows_of
from .leaning import LeaningRows, Peak, Slopes, climb_sides
from .responses import Response
from .scores import DesignRows
from .side import Leanings, refuse_one_sided
from .unadjusted import Plain, Settings, fit_plain


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


@checked
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
    found = _maximise(columns, table, side, terms)
    return _result(found, _spread(data, covariance, found), terms, settings, response)


@dataclass(frozen=True, eq=False)
class _Terms:
    """What is added to the likelihood, and where to start."""

    prior: Prior | None
    penalty: float
    plain: Plain


@dataclass(frozen=True, eq=False)
class _Found:
    """The peak (m + k + q,) of a design."""

    peak: Peak
    table: PairTable
    design: Design


def _result(
    found: _Found,
    spread: Spread,
    terms: _Terms,
    settings: Settings,
    response: Response,
) -> AdjustedFit:
    table, columns, optimum = found.table, found.design, found.peak.optimum
    point = optimum.point
    weights, m, k = gauge_weights(settings.gauge, table), len(table.index), len(columns.names)
    return AdjustedFit(
        strength=table.embed(point[:m] - weights @ point[:m], nan),
        covariance=table.embed_square(in_gauge(spread.covariance[:m, :m], weights)),
        hessian_covariance=table.embed_square(in_gauge(optimum.inverse[:m, :m], weights)),
        gauge=table.embed(weights, 0.0),
        evidence=table.evidence(settings.provisional_below),
        clustering=spread.clustering,
        floor=settings.floor,
        log_likelihood=found.peak.rows.log_likelihood(point),
        iterations=optimum.steps,
        notes=spread.notes + table.groups.notes,
        unadjusted=terms.plain.fit,
        effects=Effects(columns.names, point[m : m + k], spread.covariance[m : m + k, m : m + k], columns.scale),
        response=response,
        shape=point[m + k :],
        shape_covariance=spread.covariance[m + k :, m + k :],
        leanings=found.peak.leanings,
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


def _maximise(columns: Design, table: PairTable, side: Side, terms: _Terms) -> _Found:
    """Raises BadCovariate, MissingLabels, NoConvergence."""
    m, k = len(table.index), len(columns.names)
    penalty = np.full(k, terms.penalty)
    penalty[k - int(columns.side) :] = 0.0
    beside = Columns(columns.names, np.empty((0, k)), columns.scale, penalty)
    together = (table.groups.weak[:, None] == table.groups.weak[None, :]).astype(np.float64)

    def room(point: Floats, step: Floats) -> float:
        return columns.answers.room(point[m + k :], step[m + k :])

    def climb_from(slopes: Slopes, start: Floats) -> Optimum:
        return climb_with_effects(slopes, start, beside, terms.prior, together, room)

    rows = DesignRows(columns, table.present)
    if side is Side.ANNOTATOR:
        rows = DesignRows.of(columns, table.rows(columns.rows, columns.both_bad))
    first = np.concatenate((terms.plain.fit.strength[table.index], np.zeros(k), terms.plain.shape))
    return _Found(climb_sides(rows, side, rows.design.rows.annotator, first, climb_from), table, columns)


def _spread(data: Comparisons | Counts, wanted: Covariance, found: _Found) -> Spread:
    """Leanings are drawn from N(0, ρ²), not known."""
    columns, table, fitted, optimum = found.design, found.table, found.peak.rows, found.peak.optimum
    rows, point = table.labelled_rows(data, columns.both_bad), optimum.point

    def scores(some: Comparisons) -> Scores:
        return fitted.scores(point) if isinstance(fitted, LeaningRows) else DesignRows.of(columns, some).scores(point)

    def meat() -> Floats:
        if isinstance(fitted, LeaningRows):
            return apart(fitted.scores(point), fitted.rows.weight)
        return DesignRows(columns, table.present).meat(point)

    return spread_of(rows, wanted, optimum.inverse, meat, scores)
