"""Preferences that may go in circles: logit P(i over j) = θ_i - θ_j + Σ_r (a_ir·b_jr - b_ir·a_jr).

Bradley-Terry plus a skew-symmetric matrix of rank 2R (Chen & Joachims 2016, "Modeling intransitivity in matchup and
comparison data", WSDM, section 4.2, "blade-chest-inner"; the general preference model of Zhang et al. 2024, "Beyond
Bradley-Terry models", section 4). θ has the prior of the boards, a and b a ridge: ln p = -ridge/2·Σ(a² + b²) + const.

a and b are known up to Sp(2R), the maps that keep their skew form, and θ itself is one more such rank where the ridge
allows it: only P is reported. Its errors are by the delta method, from the covariance that `covariance` asks for; the
ridge's bias is not in them. The loss has several minima: L-BFGS from `starts` draws, the lowest kept. Which R, 0
included, is for `choose_cyclic_rank` to say, from votes that the fit has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit

from .arrays import Floats
from .bradley_terry import BOARD_PRIOR, PROVISIONAL_BELOW
from .clusters import Scores, Spread, spread_of
from .comparisons import Comparisons
from .counts import BothBad, Counts, count_matrix
from .errors import BadParameter, NoConvergence
from .pair_likelihood import maximise
from .pair_table import PairTable, tabulate
from .priors import Prior
from .strengths import Clustering, Covariance, Evidence, Note

RIDGE = 0.1
STARTS = 5
START_SD = 0.5
# L-BFGS ends where no entry of the gradient, in votes, exceeds this share of their number.
GRADIENT = 1e-8


@dataclass(frozen=True, eq=False, kw_only=True)
class CyclicFit:
    """The probability of each preference, circles allowed; NaN beside an absent contestant."""

    probability: Floats  # (M, M) P(i over j), a tie counting half; with its transpose it sums to one
    standard_error: Floats  # (M, M) of P under `clustering`, 0 on the diagonal
    rank: int  # R
    ridge: float
    evidence: Evidence
    clustering: Clustering
    log_likelihood: float  # of the votes, without prior and ridge
    start_losses: Floats  # (starts,) minus the penalised log-likelihood from each start; all alike = one minimum
    notes: tuple[Note, ...]


def fit_cyclic(
    data: Comparisons | Counts,
    *,
    rank: int,
    rng: np.random.Generator,
    ridge: float = RIDGE,
    prior: Prior = BOARD_PRIOR,
    starts: int = STARTS,
    covariance: Covariance = Covariance.AUTO,
    both_bad: BothBad = BothBad.LEAVE_OUT,
    provisional_below: float = PROVISIONAL_BELOW,
) -> CyclicFit:
    """P of every pair of contestants with a comparison; rank 0 is Bradley-Terry.

    Raises NoComparisons, BadParameter, NoConvergence, MissingLabels, TooFewClusters.
    """
    if rank < 0 or starts < 1 or not ridge > 0.0:
        raise BadParameter(f"rank {rank}, starts {starts}, ridge {ridge}; give rank >= 0, starts >= 1, ridge > 0.")
    table = tabulate(data if isinstance(data, Counts) else count_matrix(data), both_bad)
    model = Model(table, rank, ridge, prior)
    point, losses = model.best(rng, starts)
    spread = model.spread(point, table.labelled_rows(data, both_bad), covariance)
    chance = expit(model.logit(point))
    return CyclicFit(
        probability=table.embed_square(chance),
        standard_error=table.embed_square(chance * (1.0 - chance) * model.logit_error(point, spread.covariance)),
        rank=rank,
        ridge=ridge,
        evidence=table.evidence(provisional_below),
        clustering=spread.clustering,
        log_likelihood=model.log_likelihood(point) - np.log(2.0) * table.own_total,
        start_losses=losses,
        notes=spread.notes + table.groups.notes,
    )


@dataclass(frozen=True, eq=False)
class Model:
    """The penalised likelihood; a point is (m, 1 + 2R), per contestant θ, a and b."""

    table: PairTable
    rank: int
    ridge: float
    prior: Prior

    @property
    def _won(self) -> Floats:
        return np.asarray(self.table.wins + 0.5 * self.table.ties)

    def logit(self, point: Floats) -> Floats:
        """(m, m) skew-symmetric."""
        crossed = point[:, 1 : 1 + self.rank] @ point[:, 1 + self.rank :].T
        return np.asarray(point[:, :1] - point[:, 0] + crossed - crossed.T)

    def log_likelihood(self, point: Floats) -> float:
        """Σ_ij W_ij·ln σ(logit_ij), ties half in W."""
        return -float(np.vdot(self._won, np.logaddexp(0.0, -self.logit(point))))

    def loss(self, point: Floats) -> float:
        """Minus the penalised log-likelihood."""
        held = 0.5 * self.ridge * float((point[:, 1:] ** 2).sum())
        return held - self.log_likelihood(point) - self.prior.log_density(point[:, 0])

    def gradient(self, point: Floats) -> Floats:
        """(m, 1 + 2R) of the loss; with G_ij = W_ij - N_ij·p_ij it is -(G1, Gb, -Ga) plus the penalties'."""
        surprise = self._won - self.table.total * expit(self.logit(point))
        slope = -surprise @ self._partner(point)
        slope[:, 1:] += self.ridge * point[:, 1:]
        slope[:, 0] -= self.prior.gradient(point[:, 0])
        return np.asarray(slope)

    def best(self, rng: np.random.Generator, starts: int) -> tuple[Floats, Floats]:
        """The lowest minimum (m, 1 + 2R) and the loss at each (starts,). Raises NoConvergence."""
        strength = maximise(self.table.credit, self.table.total, self.prior, None).point
        if self.rank == 0:
            point = strength[:, None]
            return point, np.array([self.loss(point)])
        shape = (len(strength), 1 + 2 * self.rank)

        def both(flat: Floats) -> tuple[float, Floats]:
            point = flat.reshape(shape)
            return self.loss(point), self.gradient(point).ravel()

        tolerance = GRADIENT * float(self.table.battles.sum())
        found = []
        for _ in range(starts):
            begin = np.column_stack((strength, rng.normal(0.0, START_SD, (shape[0], shape[1] - 1))))
            end = minimize(
                both,
                begin.ravel(),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-15, "gtol": tolerance, "maxcor": 20},
            )
            slope = float(np.abs(end.jac).max())
            if not slope < 1e4 * tolerance:
                raise NoConvergence(f"L-BFGS stopped with a slope of {slope:.1e}; give a larger ridge or a lower rank.")
            found.append((float(end.fun), np.asarray(end.x).reshape(shape)))
        return min(found, key=lambda one: one[0])[1], np.array([one[0] for one in found])

    def spread(self, point: Floats, rows: Comparisons | None, wanted: Covariance) -> Spread:
        """(m(1 + 2R), m(1 + 2R)) covariance of the point."""
        chance = expit(self.logit(point))
        information = self._blocks(point, self.table.total * chance * (1.0 - chance))
        held = np.full(point.shape, self.ridge)
        held[:, 0] = self.prior.curvature(point[:, 0])
        inverse = np.asarray(np.linalg.inv(information + np.diag(held.ravel())), dtype=np.float64)

        def meat() -> Floats:
            squared = self.table.wins * (1.0 - chance) ** 2
            return self._blocks(point, squared + squared.T + self.table.ties * (0.5 - chance) ** 2)

        return spread_of(rows, wanted, inverse, meat, lambda some: self._scores(some, point))

    def logit_error(self, point: Floats, covariance: Floats) -> Floats:
        """(m, m) standard error of each logit: its derivatives are g_j in i's parameters and -g_i in j's."""
        partner, (m, q) = self._partner(point), point.shape
        blocks = covariance.reshape(m, q, m, q)
        own = blocks[np.arange(m), :, np.arange(m), :]
        alone = np.einsum("jq,iqr,jr->ij", partner, own, partner)
        together = np.einsum("jq,iqjr,ir->ij", partner, blocks, partner, optimize=True)
        variance = np.maximum(alone + alone.T - 2.0 * together, 0.0)
        np.fill_diagonal(variance, 0.0)
        return np.asarray(np.sqrt(variance))

    def _partner(self, point: Floats) -> Floats:
        """(m, 1 + 2R) g = (1, b, -a): the derivative of logit_ij in i's parameters is g_j."""
        r = self.rank
        return np.column_stack((np.ones(len(point)), point[:, 1 + r :], -point[:, 1 : 1 + r]))

    def _blocks(self, point: Floats, weight: Floats) -> Floats:
        """Σ_{i<j} weight_ij·JᵀJ, J the derivative of logit_ij; weight (m, m) symmetric."""
        partner, (m, q) = self._partner(point), point.shape
        matrix = -np.einsum("ij,jq,ir->iqjr", weight, partner, partner)
        matrix[np.arange(m), :, np.arange(m), :] += np.einsum("ij,jq,jr->iqr", weight, partner, partner)
        return np.asarray(matrix.reshape(m * q, m * q))

    def _scores(self, rows: Comparisons, point: Floats) -> Scores:
        """(n, m(1 + 2R)) gradient of each row's log-likelihood."""
        partner, q = self._partner(point), point.shape[1]
        residual = rows.outcome - expit(self.logit(point)[rows.a, rows.b])
        residual = (residual if rows.weight is None else residual * rows.weight)[:, None]
        residual = residual * (rows.a != rows.b)[:, None]
        values = np.concatenate((residual * partner[rows.b], -residual * partner[rows.a]), axis=1).ravel()
        columns = (np.stack((rows.a, rows.b), axis=1)[:, :, None] * q + np.arange(q)).ravel()
        starts = np.arange(0, len(values) + 1, 2 * q)
        return csr_array((values, columns, starts), shape=(len(rows), point.size))
