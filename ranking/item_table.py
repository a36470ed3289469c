"""The marginal likelihood of passes, difficulties integrated out on a grid; see `items`.

Louis 1982: observed information is E[complete information] - Var[complete score], given what was passed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_expit, logsumexp

from .arrays import Floats
from .newton import add_to_diagonal

# Grid of δ/σ. The trapezoid's error is beyond double precision once its step is under an item's posterior deviation.
FARTHEST_NODE = 6.0
WIDEST_SPREAD = 3.0
MOST_NODES = 401
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, eq=False)
class Grid:
    """Of standard normal difficulties."""

    nodes: Floats  # (Q,) of δ/σ
    log_mass: Floats  # (Q,)

    @classmethod
    def of(cls, most: float) -> Grid:
        """Fine enough for an item with `most` attempts."""
        finest = np.sqrt(most) / 2.0 * WIDEST_SPREAD
        count = min(MOST_NODES, 2 * int(np.ceil(FARTHEST_NODE * max(finest, 3.0))) + 1)
        return cls.at(np.linspace(-FARTHEST_NODE, FARTHEST_NODE, count))

    @classmethod
    def at(cls, nodes: Floats) -> Grid:
        """Evenly spaced nodes."""
        mass = np.exp(-0.5 * nodes**2)
        return cls(nodes, np.log(mass / mass.sum()))


@dataclass(frozen=True, eq=False)
class ItemTable:
    """P items tried by m contestants, any number of times; a point (m + 1,) is θ and ln σ."""

    passed: Floats  # (P, m)
    tried: Floats  # (P, m)
    grid: Grid

    def log_likelihood(self, point: Floats) -> float:
        """Marginal."""
        return float(self._posterior(point)[0].sum())

    def node_weights(self, point: Floats) -> Floats:
        """(P, Q) posterior of each item's difficulty over the nodes."""
        return self._posterior(point)[1]

    def scores(self, point: Floats) -> Floats:
        """(P, m + 1) gradient of each item's marginal log-likelihood."""
        _, weight, chance = self._posterior(point)
        delta = np.exp(point[-1]) * self.grid.nodes
        along = self.passed - self.tried * (weight @ chance.T)
        left = self.passed.sum(axis=1)[:, None] - self.tried @ chance
        return np.column_stack((along, -(weight * left) @ delta))

    def louis(self, point: Floats) -> tuple[Floats, Floats]:
        """Observed information (m + 1, m + 1) and scores (P, m + 1)."""
        _, weight, chance = self._posterior(point)
        scores = self.scores(point)
        information = scores.T @ scores
        delta = np.exp(point[-1]) * self.grid.nodes
        for node, some in enumerate(weight.T):
            seen = some > NEGLIGIBLE
            mass, tried = some[seen], self.tried[seen]
            left = self.passed[seen] - tried * chance[:, node]
            score = np.column_stack((left, -delta[node] * left.sum(axis=1)))
            information -= (score * mass[:, None]).T @ score
            spread = (mass @ tried) * chance[:, node] * (1.0 - chance[:, node])
            add_to_diagonal(information, np.append(spread, delta[node] ** 2 * spread.sum()))
            information[-1, :-1] -= delta[node] * spread
            information[:-1, -1] -= delta[node] * spread
            information[-1, -1] += delta[node] * float(mass @ left.sum(axis=1))
        return information, scores

    def _posterior(self, point: Floats) -> tuple[Floats, Floats, Floats]:
        """log-likelihood of each item (P,), weights of its nodes (P, Q) and pass probabilities (m, Q)."""
        logit = point[:-1, None] - np.exp(point[-1]) * self.grid.nodes
        failed = self.tried - self.passed
        joint = self.passed @ log_expit(logit) + failed @ log_expit(-logit) + self.grid.log_mass
        each = logsumexp(joint, axis=1)
        return each, np.exp(joint - each[:, None]), np.exp(log_expit(logit))
