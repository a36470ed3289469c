"""One pass over the rows, block by block, gathers all that Newton's method and the sandwich need.

With z = (e_a - e_b, x) the information is Σ w·z·zᵀ. Its part in θ is a Laplacian of sums per pair, its mixed part
Σ w·x summed per contestant (a histogram for each side), its part in β one small matrix product per block. A shape
(ν, cuts) adds a few rows: Σ c·z for each of its parameters, and sums over rows among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats
from ..newton import add_to_diagonal
from .design import Block, Design
from .responses import Terms


@dataclass(frozen=True, eq=False)
class Parameters:
    """What a log-likelihood is a function of, over all M contestants."""

    strength: Floats  # (M,) anything where absent
    effect: Floats  # (k,)
    shape: Floats  # (q,)

    @classmethod
    def of(cls, point: Floats, present: Bools, columns: int) -> Parameters:
        """From a point (m + k + q,) over the m present contestants."""
        count = int(present.sum())
        strength = np.zeros(len(present))
        strength[present] = point[:count]
        return cls(strength, point[count : count + columns], point[count + columns :])


class Weighted:
    """Σ u·z·zᵀ, Σ c·z and Σ h over blocks, for M contestants, k columns and q shapes."""

    def __init__(self, count: int, columns: int, shapes: int) -> None:
        self.pairs = np.zeros(count * count)
        self.cross = np.zeros((columns + shapes, count))
        self.dense = np.zeros((columns + shapes, columns + shapes))

    def add(self, block: Block, weight: Floats, crossed: Floats, bent: Floats) -> None:
        """weight (B,) is u, crossed (q, B) c, bent (q, q, B) h."""
        columns, count = len(block.columns), self.cross.shape[1]
        self.pairs += np.bincount(block.cell, weights=weight, minlength=len(self.pairs))
        weighted = block.columns * weight
        self.dense[:columns, :columns] += weighted @ block.columns.T
        for total, column in zip(self.cross, (*weighted, *crossed), strict=True):
            total += per_contestant(block, column, count)
        if len(crossed):
            mixed = crossed @ block.columns.T
            self.dense[columns:, :columns] += mixed
            self.dense[:columns, columns:] += mixed.T
            self.dense[columns:, columns:] += bent.sum(axis=2)

    def matrix(self, present: Bools) -> Floats:
        """(m + k + q, m + k + q) over the contestants of `present` (M,)."""
        count = len(present)
        pairs = self.pairs.reshape(count, count)[np.ix_(present, present)]
        inner = -(pairs + pairs.T)
        add_to_diagonal(inner, -inner.sum(axis=1))
        m, rest = len(inner), len(self.dense)
        whole = np.empty((m + rest, m + rest))
        whole[:m, :m] = inner
        whole[m:, :m] = self.cross[:, present]
        whole[:m, m:] = whole[m:, :m].T
        whole[m:, m:] = self.dense
        return whole


def logits(design: Design, at: Parameters) -> Iterator[tuple[Block, Floats]]:
    """Block by block, with η (B,)."""
    gap = (at.strength[:, None] - at.strength[None, :]).ravel()
    for block in design.blocks():
        logit = gap[block.cell]
        logit += at.effect @ block.columns
        if block.offset is not None:
            logit += block.offset
        yield block, logit


def residuals(design: Design, at: Parameters) -> Iterator[tuple[Block, Terms]]:
    """Block by block, with the derivatives of each answer."""
    for block, logit in logits(design, at):
        yield block, design.answers.terms(block.answer, logit, at.shape)


def per_contestant(block: Block, values: Floats, count: int) -> Floats:
    """(M,) Σ values under A minus Σ values under B."""
    shown_first = np.bincount(block.a, weights=values, minlength=count)
    return np.asarray(shown_first - np.bincount(block.b, weights=values, minlength=count))


def gradient_and_information(design: Design, at: Parameters, present: Bools) -> tuple[Floats, Floats]:
    """(m + k + q,) and (m + k + q, m + k + q) of the log-likelihood."""
    count = len(at.strength)
    information = Weighted(count, len(at.effect), len(at.shape))
    slope, along, bend = np.zeros(count), np.zeros(len(at.effect)), np.zeros(len(at.shape))
    for block, terms in residuals(design, at):
        times = 1.0 if block.weight is None else block.weight
        left = terms.left * times
        slope += per_contestant(block, left, count)
        along += block.columns @ left
        bend += (terms.shape * times).sum(axis=1)
        information.add(block, terms.spread * times, terms.crossed * times, terms.bent * times)
    return np.concatenate((slope[present], along, bend)), information.matrix(present)


def meat(design: Design, at: Parameters, present: Bools) -> Floats:
    """(m + k + q, m + k + q) Σ weight·score·scoreᵀ: votes apart."""
    squares = Weighted(len(at.strength), len(at.effect), len(at.shape))
    for block, terms in residuals(design, at):
        left = terms.left if block.weight is None else terms.left * block.weight
        among = terms.shape if block.weight is None else terms.shape * block.weight
        squares.add(block, left * terms.left, left * terms.shape, among[:, None] * terms.shape[None, :])
    return squares.matrix(present)


def log_likelihood(design: Design, at: Parameters) -> float:
    """Σ weight·ln P(answer)."""
    total = 0.0
    for block, logit in logits(design, at):
        terms = design.answers.log_probability(block.answer, logit, at.shape)
        total += float(terms.sum() if block.weight is None else terms @ block.weight)
    return total
