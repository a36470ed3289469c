"""Attempts with covariates: logit P(i passes p) = θ_i + x·β - δ_p, and otherwise as `item_table`.

x is of each attempt, so no two share a pass probability; attempts are gone through some items at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.special import expit, log_expit, logsumexp

from .arrays import Floats, Ints
from .covariates.adjustment import Columns
from .item_table import NEGLIGIBLE, Grid

_BLOCK = 2_000_000  # numbers held at once


@dataclass(frozen=True, eq=False)
class _Posterior:
    """Of some items and their attempts, in σ's unit δ."""

    row: slice
    item: Ints  # (n,) from zero
    start: Ints  # (P,) first attempt at each
    each: Floats  # (P,) log-likelihood
    weight: Floats  # (P, Q)
    left: Floats  # (n, Q) what was passed less what was expected


@dataclass(frozen=True, eq=False)
class ItemRows:
    """n attempts, ordered by item, at P items by m contestants; a point (m + k + 1,) is θ, β and ln σ."""

    contestant: Ints  # (n,) 0..m-1
    item: Ints  # (n,) 0..P-1, ascending, each occurs
    passed: Floats  # (n,)
    columns: Columns  # (n, k)
    count: int  # m
    grid: Grid

    @classmethod
    def of(cls, contestant: Ints, item: Ints, passed: Floats, columns: Columns) -> ItemRows:
        """Attempts in any order, by whatever numbers."""
        order = np.argsort(item, kind="stable")
        _, tried, attempts = np.unique(item[order], return_inverse=True, return_counts=True)
        used, who = np.unique(contestant[order], return_inverse=True)
        values = Columns(columns.names, columns.values[order], columns.scale, columns.penalty)
        return cls(who, tried, passed[order], values, len(used), Grid.of(float(attempts.max())))

    def log_likelihood(self, point: Floats) -> float:
        """Marginal."""
        return float(sum(one.each.sum() for one in self._posteriors(point)))

    def node_weights(self, point: Floats) -> Floats:
        """(P, Q) posterior of each item's difficulty over the nodes."""
        return np.concatenate([one.weight for one in self._posteriors(point)])

    def scores(self, point: Floats) -> Floats:
        """(P, m + k + 1) gradient of each item's marginal log-likelihood."""
        delta = np.exp(point[-1]) * self.grid.nodes
        parts = []
        for one in self._posteriors(point):
            along = self._by_item(one, (one.weight[one.item] * one.left).sum(axis=1))
            own = (one.weight * np.add.reduceat(one.left, one.start)) @ delta
            parts.append(np.column_stack((along, -own)))
        return np.concatenate(parts)

    def louis(self, point: Floats) -> tuple[Floats, Floats]:
        """Observed information (m + k + 1, m + k + 1) and scores (P, m + k + 1)."""
        scores, delta = self.scores(point), np.exp(point[-1]) * self.grid.nodes
        information = scores.T @ scores
        for one in self._posteriors(point):
            weight = one.weight[one.item]
            chance = self.passed[one.row, None] - one.left
            spread = weight * chance * (1.0 - chance)
            information[:-1, :-1] += self.gram(spread.sum(axis=1), one.row)
            crossed = self._by_item(one, spread @ delta).sum(axis=0)
            information[-1, :-1] -= crossed
            information[:-1, -1] -= crossed
            information[-1, -1] += float((spread @ delta**2).sum()) + float((weight * one.left).sum(axis=0) @ delta)
            for node in np.flatnonzero((one.weight > NEGLIGIBLE).any(axis=0)):
                along = self._by_item(one, one.left[:, node])
                own = np.add.reduceat(one.left[:, node], one.start)
                score = np.column_stack((along, -delta[node] * own))
                information -= (score * one.weight[:, node, None]).T @ score
        return information, scores

    def gram(self, weight: Floats, row: slice = slice(None)) -> Floats:
        """(m + k, m + k) Σ weight·zzᵀ, z a 1 under the contestant and x; weight (n,) of some rows."""
        who, x = self.contestant[row], self.columns.values[row]
        crossed = [np.bincount(who, weight * column, self.count) for column in x.T]
        corner = np.reshape(crossed, (x.shape[1], self.count))
        own = np.diag(np.bincount(who, weight, self.count))
        return np.block([[own, corner.T], [corner, (x * weight[:, None]).T @ x]])

    def _by_item(self, one: _Posterior, values: Floats) -> Floats:
        """(P, m + k) Σ values·z over the attempts at each item; values (n,)."""
        size, x = len(one.start), self.columns.values[one.row]
        cell = one.item * self.count + self.contestant[one.row]
        by_contestant = np.bincount(cell, values, size * self.count).reshape(size, self.count)
        return np.column_stack((by_contestant, np.add.reduceat(x * values[:, None], one.start)))

    def _posteriors(self, point: Floats) -> Iterator[_Posterior]:
        nodes, log_mass = self.grid.nodes, self.grid.log_mass
        utility = point[self.contestant] + self.columns.values @ point[self.count : -1]
        for first, last in self._bounds:
            row = slice(int(self._starts[first]), int(self._starts[last]))
            logit = utility[row, None] - np.exp(point[-1]) * nodes
            passed, start = self.passed[row, None], self._starts[first:last] - row.start
            joint = np.add.reduceat(log_expit(np.where(passed > 0.0, logit, -logit)), start) + log_mass
            each = logsumexp(joint, axis=1)
            weight = np.exp(joint - each[:, None])
            yield _Posterior(row, self.item[row] - first, start, each, weight, passed - expit(logit))

    @cached_property
    def _starts(self) -> Ints:
        """(P + 1,)"""
        return np.asarray(np.searchsorted(self.item, np.arange(self.item[-1] + 2)))

    @cached_property
    def _bounds(self) -> list[tuple[int, int]]:
        """Blocks of items."""
        most, last, found = max(1, _BLOCK // len(self.grid.nodes)), len(self._starts) - 1, [0]
        while found[-1] < last:
            fits = int(np.searchsorted(self._starts, self._starts[found[-1]] + most, side="right")) - 1
            found.append(min(last, max(fits, found[-1] + 1)))
        return list(pairwise(found))
