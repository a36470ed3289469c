"""Bradley-Terry with ties of their own: P(i over j) : P(tie) : P(j over i) = e^{d/2} : ν : e^{-d/2}, d = θ_i - θ_j.

Davidson 1970, "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments",
JASA 65, section 2. Here e^d are the odds of winning among decisive comparisons, so strengths spread wider than
those of ties counted half: never mix the two scales. Settings as in `bradley_terry`; ν has no prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford

from .arrays import Floats
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW, refuse_without_maximum, warm_start
from .clusters import Scores, Spread, spread_of
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .errors import NoConvergence, NoTies, OnlyTies
from .gauge import Gauge, gauged
from .newton import Optimum, add_to_diagonal, climb
from .options import checked
from .pair_table import PairTable, tabulate
from .priors import Prior
from .strengths import Covariance, StrengthFit


@dataclass(frozen=True, eq=False, kw_only=True)
class DavidsonFit(StrengthFit):
    """A `StrengthFit` with the prevalence of ties ν."""

    log_nu: float
    log_nu_variance: float
    prior: Prior | None
    both_bad: BothBad

    @property
    def nu(self) -> float:
        """ν; a tie between equals has probability ν/(2 + ν)."""
        return float(np.exp(self.log_nu))

    @property
    def nu_standard_error(self) -> float:
        """By the delta method from ln ν."""
        return self.nu * float(np.sqrt(max(self.log_nu_variance, 0.0)))

    def win_probability(self) -> Floats:
        """(M, M) P(i is preferred over j); with its transpose and `tie_probability` it sums to one."""
        return _chances(self.strength, self.nu)[0]

    def tie_probability(self) -> Floats:
        """(M, M)"""
        return _chances(self.strength, self.nu)[1]


@checked
def fit_davidson(
    data: Comparisons | Counts,
    *,
    prior: Prior | None = BOARD_PRIOR,
    covariance: Covariance = Covariance.AUTO,
    gauge: Gauge | int = Gauge.BATTLES,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    floor: bool = True,
    provisional_below: float = PROVISIONAL_BELOW,
    start: Floats | None = None,
) -> DavidsonFit:
    """Strengths of every contestant with a comparison, and ν, at the joint maximum.

    Raises NoTies without any (fit_bradley_terry says the same), OnlyTies, and all that fit_bradley_terry does.
    """
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    _refuse_without_ratio(table)
    if prior is None:
        refuse_without_maximum(table)
        _refuse_runaway(table)
    optimum = _maximise(table, prior, warm_start(start, table))
    spread = _spread(table.labelled_rows(data, both_bad), covariance, table, optimum)
    return DavidsonFit(
        **gauged(optimum.point, optimum.inverse, spread, table, gauge),
        evidence=table.evidence(provisional_below),
        floor=floor,
        log_likelihood=log_likelihood(optimum.point, table),
        iterations=optimum.steps,
        notes=spread.notes + table.groups.notes,
        log_nu=float(optimum.point[-1]),
        log_nu_variance=float(spread.covariance[-1, -1]),
        prior=prior,
        both_bad=both_bad,
    )


def log_likelihood(point: Floats, table: PairTable) -> float:
    """point (m + 1,) = θ and ln ν; Σ_{i<j} (W_ij - W_ji)·d/2 + T_ij·ln ν - N_ij·ln(2 cosh(d/2) + ν).

    Comparisons of a contestant with itself (d = 0) say nothing about θ but count for ν.
    """
    strength, nu = point[:-1], float(np.exp(point[-1]))
    half = 0.5 * (strength[:, None] - strength[None, :])
    whole = 2.0 * np.cosh(half) + nu
    logs = float(np.vdot(table.total, np.log(whole)))
    own = table.own_total * log(2.0 + nu)
    return float(np.vdot(table.wins, half)) + table.tie_total * float(point[-1]) - 0.5 * logs - own


def derivatives(point: Floats, table: PairTable) -> tuple[Floats, Floats]:
    """Gradient (m + 1,) and information (m + 1, m + 1) in θ and ln ν.

    With s, c = sinh, cosh of d/2 and Z = 2c + ν, a comparison's information is (2 + ν·c)/2Z² in d,
    2·ν·c/Z² in ln ν, and -s·ν/Z² between them.
    """
    half, nu = 0.5 * (point[:-1, None] - point[None, :-1]), float(np.exp(point[-1]))
    sinh, cosh = np.sinh(half), np.cosh(half)
    whole = 2.0 * cosh + nu
    rate = table.total / whole
    slope = np.empty_like(point)
    slope[:-1] = 0.5 * (table.wins - table.wins.T).sum(axis=1) - (rate * sinh).sum(axis=1)
    own = nu / (2.0 + nu)  # a tie with itself, d = 0
    slope[-1] = table.tie_total - 0.5 * nu * rate.sum() - table.own_total * own
    rate /= whole
    information = np.empty((len(point), len(point)))
    inner = -0.5 * rate * (2.0 + nu * cosh)
    add_to_diagonal(inner, -inner.sum(axis=1))
    information[:-1, :-1] = inner
    information[-1, :-1] = information[:-1, -1] = -nu * (rate * sinh).sum(axis=1)
    information[-1, -1] = nu * float(np.vdot(rate, cosh)) + table.own_total * own * (1.0 - own)
    return slope, information


def _refuse_without_ratio(table: PairTable) -> None:
    if not table.ties.any():
        raise NoTies("There is no tie, so ν would be zero; use fit_bradley_terry, which then says the same.")
    if not table.wins.any():
        raise OnlyTies("Every comparison is a tie, so ν has no bound; use fit_bradley_terry with a prior.")


def _refuse_runaway(table: PairTable) -> None:
    """Raises NoConvergence if θ and ln ν can grow together without lowering the likelihood.

    They can along a direction with δ_i - δ_j ≥ 1 for every win of i over j and |δ_i - δ_j| ≤ 1 for every tie, ln ν
    growing half as fast: difference constraints, which have a solution unless their graph holds a negative cycle.
    """
    if ((table.wins > 0) & (table.wins.T > 0)).any() or table.own_wins.any():
        return
    bounds = np.where(table.wins > 0, -1.0, np.where(table.ties > 0, 1.0, 0.0))
    try:
        bellman_ford(csr_array(bounds), indices=np.array([0]))
    except NegativeCycleError:
        return
    raise NoConvergence(
        "No pair was won both ways and ties join neighbours only, so strengths and ν have no bound; "
        "fit with a prior (VirtualTie())."
    )


def _maximise(table: PairTable, prior: Prior | None, start: Floats | None) -> Optimum:
    def penalised(point: Floats) -> tuple[Floats, Floats]:
        slope, information = derivatives(point, table)
        strengths = np.ascontiguousarray(information[:-1, :-1])
        if prior is None:
            strengths += strengths.trace() / strengths.size
        else:
            slope[:-1] += prior.gradient(point[:-1])
            add_to_diagonal(strengths, prior.curvature(point[:-1]))
        information[:-1, :-1] = strengths
        return slope, information

    ties = float(table.ties.sum() / table.total.sum())
    strength = np.zeros(len(table.wins)) if start is None else start - start.mean()
    return climb(penalised, np.append(strength, log(2.0 * ties / (1.0 - ties))))


def _chances(strength: Floats, nu: float) -> tuple[Floats, Floats]:
    """(m, m) P(i over j) and P(tie)."""
    difference = strength[:, None] - strength[None, :]
    whole = 2.0 * np.cosh(0.5 * difference) + nu
    return np.asarray(np.exp(0.5 * difference) / whole), np.asarray(nu / whole)


def _meat(table: PairTable, point: Floats) -> Floats:
    """(m + 1, m + 1): votes of a pair have one of three scores, (±½ - s/Z, -ν/Z) or (-s/Z, 1 - ν/Z)."""
    half, nu = 0.5 * (point[:-1, None] - point[None, :-1]), float(np.exp(point[-1]))
    whole = 2.0 * np.cosh(half) + nu
    drift, tie = np.sinh(half) / whole, nu / whole
    won, lost, ties = table.wins, table.wins.T, table.ties
    squared = won * (0.5 - drift) ** 2 + lost * (0.5 + drift) ** 2 + ties * drift**2
    crossed = tie * (lost * (0.5 + drift) - won * (0.5 - drift)) - ties * drift * (1.0 - tie)
    meat = np.empty((len(point), len(point)))
    inner = -squared
    add_to_diagonal(inner, squared.sum(axis=1))
    meat[:-1, :-1] = inner
    meat[-1, :-1] = meat[:-1, -1] = crossed.sum(axis=1)
    own = nu / (2.0 + nu)
    meat[-1, -1] = 0.5 * float(((won + lost) * tie**2 + ties * (1.0 - tie) ** 2).sum())
    meat[-1, -1] += table.own_wins.sum() * own**2 + table.own_ties.sum() * (1.0 - own) ** 2
    return meat


def _spread(rows: Comparisons | None, wanted: Covariance, table: PairTable, optimum: Optimum) -> Spread:
    point = optimum.point
    return spread_of(rows, wanted, optimum.inverse, lambda: _meat(table, point), lambda some: _scores(some, point))


def _scores(rows: Comparisons, point: Floats) -> Scores:
    """(n, m + 1) gradient of each row's log-likelihood in θ and ln ν."""
    a, b, nu = rows.a, rows.b, float(np.exp(point[-1]))
    half = 0.5 * (point[a] - point[b])
    whole = 2.0 * np.cosh(half) + nu
    weight = 1.0 if rows.weight is None else rows.weight
    along = weight * (rows.outcome - 0.5 - np.sinh(half) / whole)
    tie = weight * ((rows.outcome == 0.5) - nu / whole)
    values = np.stack((along, -along, tie), axis=1).ravel()
    columns = np.stack((a, b, np.full_like(a, rows.count)), axis=1).ravel()
    starts = np.arange(0, len(values) + 1, 3)
    return csr_array((values, columns, starts), shape=(len(a), rows.count + 1))
