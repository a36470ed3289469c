"""Bradley-Terry strengths: P(i over j) = σ(θ_i - θ_j), a tie as half a win for each side.

Bradley & Terry 1952, "Rank analysis of incomplete block designs I", Biometrika 39.

With `prior=None` the estimate is the exact maximum (Newton steps below 1e-7 logits, so within 1e-6 points) and
data without a finite one is refused; the default prior of half a virtual tie always gives strengths and marks
those that rest on it. Contestants with fewer than `provisional_below` decisive comparisons, undefeated,
winless, or outside the largest strongly connected group are provisional; with `floor` the variances that
involve them are at least the Hessian's.

Covariances: HESSIAN H⁻¹; SANDWICH H⁻¹ B H⁻¹ with B the sum over votes of (y - p)²·(e_i - e_j)(e_i - e_j)ᵀ, y in
{0, ½, 1} (White 1982, "Maximum likelihood estimation of misspecified models", Econometrica 50, section 3);
clustered ones in `clusters`. `Counts` carry no labels: AUTO then means SANDWICH.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from scipy.sparse import csr_array

from .arrays import Floats
from .clusters import Scores, Spread, spread_of
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .errors import OnlyTies, ShapeMismatch
from .gauge import Gauge, gauge_weights, gauged
from .newton import Optimum, add_to_diagonal
from .options import checked
from .pair_likelihood import log_likelihood, maximise, win_probability
from .pair_table import PairTable, tabulate
from .priors import Prior, VirtualTie
from .strengths import Covariance, StrengthFit

BOARD_PRIOR = VirtualTie(0.5)
PROVISIONAL_BELOW = 30.0


@dataclass(frozen=True, eq=False, kw_only=True)
class BradleyTerryFit(StrengthFit):
    """A `StrengthFit` under P(i over j) = σ(θ_i - θ_j), with what was asked of it."""

    prior: Prior | None
    both_bad: BothBad

    def win_probability(self) -> Floats:
        """(M, M) fitted P(i over j), a tie counting half; NaN beside an absent contestant."""
        return win_probability(self.strength)


@checked
def fit_bradley_terry(
    data: Comparisons | Counts,
    *,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
    start: Floats | None = None,
) -> BradleyTerryFit:
    """Strengths of every contestant with a comparison. `start` (M,) warms a refit; NaN there is unknown.

    Raises NoComparisons; with prior=None NotConnected, NotStronglyConnected, OnlyTies and NoConvergence;
    MissingLabels and TooFewClusters for a clustering that the data cannot carry; UnknownIndex, ShapeMismatch.
    """
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    if prior is None:
        refuse_without_maximum(table)
    optimum = maximise(table.credit, table.total, prior, warm_start(start, table))
    spread = _spread(table.labelled_rows(data, both_bad), covariance, table, optimum)
    likelihood = log_likelihood(optimum.point, table.credit, table.total)
    return BradleyTerryFit(
        **gauged(optimum.point, optimum.inverse, spread, table, gauge),
        evidence=table.evidence(provisional_below),
        floor=floor,
        log_likelihood=likelihood - log(2.0) * table.own_total,
        iterations=optimum.steps,
        notes=spread.notes + table.groups.notes,
        prior=prior,
        both_bad=both_bad,
    )


@checked
def bradley_terry_strengths(
    data: Comparisons | Counts,
    *,
    prior: Prior | None = BOARD_PRIOR,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    start: Floats | None = None,
) -> Floats:
    """(M,) the strengths of `fit_bradley_terry` without their errors, in half the time: for resampling and searches.

    Raises what fit_bradley_terry does, but for clustering.
    """
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    if prior is None:
        refuse_without_maximum(table)
    point = maximise(table.credit, table.total, prior, warm_start(start, table), point_alone=True).point
    return table.embed(point - gauge_weights(gauge, table) @ point, np.nan)


def refuse_without_maximum(table: PairTable) -> None:
    """Raises OnlyTies, NotConnected, NotStronglyConnected."""
    if not table.wins.any():
        raise OnlyTies("Every comparison is a tie, so nothing orders the contestants; fit with a prior.")
    table.groups.refuse_unless_bounded(table.index)


def warm_start(start: Floats | None, table: PairTable) -> Floats | None:
    """(m,) from (M,). Raises ShapeMismatch."""
    if start is None:
        return None
    if start.shape != table.present.shape or np.isinf(start).any():
        fix = f"give one strength for each of {len(table.present)}, finite or NaN"
        raise ShapeMismatch(f"start has shape {start.shape} or an infinite value; {fix}.")
    return np.nan_to_num(start[table.index], nan=0.0)


def _spread(rows: Comparisons | None, wanted: Covariance, table: PairTable, optimum: Optimum) -> Spread:
    point = optimum.point
    return spread_of(rows, wanted, optimum.inverse, lambda: _meat(table, point), lambda some: row_scores(some, point))


def row_scores(rows: Comparisons, strength: Floats) -> Scores:
    """(n, m) gradient of each row's log-likelihood: w·(y - p) under A, its opposite under B."""
    a, b = rows.a, rows.b
    residual = rows.outcome - 1.0 / (1.0 + np.exp(strength[b] - strength[a]))
    if rows.weight is not None:
        residual = residual * rows.weight
    values = np.stack((residual, -residual), axis=1).ravel()
    columns = np.stack((a, b), axis=1).ravel()
    starts = np.arange(0, len(values) + 1, 2)
    return csr_array((values, columns, starts), shape=(len(a), rows.count))


def _meat(table: PairTable, strength: Floats) -> Floats:
    """(m, m) from counts alone: every pair holds only three kinds of residual."""
    chance = win_probability(strength)
    squared = table.wins * (1.0 - chance) ** 2
    squared = squared + squared.T + table.ties * (0.5 - chance) ** 2
    meat = -squared
    add_to_diagonal(meat, squared.sum(axis=1))
    return np.asarray(meat)
