"""The penalised likelihood of strengths with circles, from counts; see `cyclic` for the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit

from .arrays import Floats
from .clusters import Scores, Spread, spread_of
from .comparisons import Comparisons
from .errors import NoConvergence
from .pair_likelihood import maximise
from .pair_table import PairTable
from .priors import Prior
from .strengths import Covariance

START_SD = 0.5
# L-BFGS ends where no entry of the gradient, in votes, exceeds this share of their number.
GRADIENT = 1e-8


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
        return self.held(point) - self.log_likelihood(point)

    def held(self, point: Floats) -> float:
        """What ridge and prior take from the log-likelihood."""
        return 0.5 * self.ridge * float((point[:, 1:] ** 2).sum()) - self.prior.log_density(point[:, 0])

    def gradient(self, point: Floats) -> Floats:
        """(m, 1 + 2R) of the loss; with G_ij = W_ij - N_ij·p_ij it is -(G1, Gb, -Ga) plus the penalties'."""
        return self.gradient_of(point, self._won - self.table.total * expit(self.logit(point)))

    def gradient_of(self, point: Floats, surprise: Floats) -> Floats:
        """(m, 1 + 2R) from G (m, m)."""
        slope = -surprise @ self.partner(point)
        slope[:, 1:] += self.ridge * point[:, 1:]
        slope[:, 0] -= self.prior.gradient(point[:, 0])
        return np.asarray(slope)

    def best(self, rng: np.random.Generator, starts: int) -> tuple[Floats, Floats]:
        """The lowest minimum (m, 1 + 2R) and the loss at each (starts,). Raises NoConvergence."""
        if self.rank == 0:
            point = self.begins(rng, 1)[0]
            return point, np.array([self.loss(point)])

        def both(flat: Floats) -> tuple[float, Floats]:
            point = flat.reshape(len(self.table.index), -1)
            return self.loss(point), self.gradient(point).ravel()

        begins = [begin.ravel() for begin in self.begins(rng, starts)]
        flat, losses = lowest(both, begins, GRADIENT * float(self.table.battles.sum()))
        return flat.reshape(len(self.table.index), -1), losses

    def begins(self, rng: np.random.Generator, starts: int) -> list[Floats]:
        """(m, 1 + 2R) each: Bradley-Terry's strengths with random circles."""
        strength = maximise(self.table.credit, self.table.total, self.prior, None).point
        shape = (len(strength), 2 * self.rank)
        return [np.column_stack((strength, rng.normal(0.0, START_SD, shape))) for _ in range(starts)]

    def spread(self, point: Floats, rows: Comparisons | None, wanted: Covariance) -> Spread:
        """(m(1 + 2R), m(1 + 2R)) covariance of the point."""
        chance = expit(self.logit(point))
        information = self.blocks(point, self.table.total * chance * (1.0 - chance))
        inverse = np.asarray(np.linalg.inv(information + np.diag(self.curvature(point).ravel())), dtype=np.float64)

        def meat() -> Floats:
            squared = self.table.wins * (1.0 - chance) ** 2
            return self.blocks(point, squared + squared.T + self.table.ties * (0.5 - chance) ** 2)

        return spread_of(rows, wanted, inverse, meat, lambda some: self._scores(some, point))

    def curvature(self, point: Floats) -> Floats:
        """(m, 1 + 2R) of ridge and prior."""
        held = np.full(point.shape, self.ridge)
        held[:, 0] = self.prior.curvature(point[:, 0])
        return held

    def logit_error(self, point: Floats, covariance: Floats) -> Floats:
        """(m, m) standard error of each logit: its derivatives are g_j in i's parameters and -g_i in j's.

        `covariance` begins with that of the point.
        """
        partner, (m, q) = self.partner(point), point.shape
        blocks = covariance[: m * q, : m * q].reshape(m, q, m, q)
        own = blocks[np.arange(m), :, np.arange(m), :]
        alone = np.einsum("jq,iqr,jr->ij", partner, own, partner)
        together = np.einsum("jq,iqjr,ir->ij", partner, blocks, partner, optimize=True)
        variance = np.maximum(alone + alone.T - 2.0 * together, 0.0)
        np.fill_diagonal(variance, 0.0)
        return np.asarray(np.sqrt(variance))

    def mean_covariance(self, point: Floats, covariance: Floats) -> Floats:
        """(m, m) of every contestant's mean logit; `covariance` begins with that of the point."""
        partner, (m, q) = self.partner(point), point.shape
        slope = np.repeat(-partner[:, None, :] / m, m, axis=1)
        slope[np.arange(m), np.arange(m)] += partner.mean(axis=0)
        flat = slope.reshape(m, m * q)
        return np.asarray(flat @ covariance[: m * q, : m * q] @ flat.T)

    def partner(self, point: Floats) -> Floats:
        """(m, 1 + 2R) g = (1, b, -a): the derivative of logit_ij in i's parameters is g_j."""
        r = self.rank
        return np.column_stack((np.ones(len(point)), point[:, 1 + r :], -point[:, 1 : 1 + r]))

    def blocks(self, point: Floats, weight: Floats) -> Floats:
        """Σ_{i<j} weight_ij·JᵀJ, J the derivative of logit_ij; weight (m, m) symmetric."""
        partner, (m, q) = self.partner(point), point.shape
        matrix = -np.einsum("ij,jq,ir->iqjr", weight, partner, partner)
        matrix[np.arange(m), :, np.arange(m), :] += np.einsum("ij,jq,jr->iqr", weight, partner, partner)
        return np.asarray(matrix.reshape(m * q, m * q))

    def _scores(self, rows: Comparisons, point: Floats) -> Scores:
        """(n, m(1 + 2R)) gradient of each row's log-likelihood."""
        residual = rows.outcome - expit(self.logit(point)[rows.a, rows.b])
        return self.scores_of(rows, point, residual if rows.weight is None else residual * rows.weight)

    def scores_of(self, rows: Comparisons, point: Floats, residual: Floats) -> Scores:
        """(n, m(1 + 2R)) from each row's slope in its logit (n,)."""
        partner, q = self.partner(point), point.shape[1]
        residual = (residual * (rows.a != rows.b))[:, None]
        values = np.concatenate((residual * partner[rows.b], -residual * partner[rows.a]), axis=1).ravel()
        columns = (np.stack((rows.a, rows.b), axis=1)[:, :, None] * q + np.arange(q)).ravel()
        starts = np.arange(0, len(values) + 1, 2 * q)
        return csr_array((values, columns, starts), shape=(len(rows), point.size))


def lowest(
    both: Callable[[Floats], tuple[float, Floats]], begins: list[Floats], tolerance: float
) -> tuple[Floats, Floats]:
    """The lowest minimum by L-BFGS and the loss at each, from flat starts; `both` is loss and gradient.

    Raises NoConvergence.
    """
    found = []
    for begin in begins:
        end = minimize(
            both,
            begin,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-15, "gtol": tolerance, "maxcor": 20},
        )
        slope = float(np.abs(end.jac).max())
        if not slope < 1e4 * tolerance:
            raise NoConvergence(f"L-BFGS stopped with a slope of {slope:.1e}; give a larger ridge or a lower rank.")
        found.append((float(end.fun), np.asarray(end.x)))
    return min(found, key=lambda one: one[0])[1], np.array([one[0] for one in found])
