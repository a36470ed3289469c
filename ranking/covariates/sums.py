"""One pass over the rows, block by block, gathers all that Newton's method and the sandwich need.

With z = (e_a - e_b, x) the information is Σ w·z·zᵀ. Its part in θ is a Laplacian of sums per pair, its mixed part
Σ w·x summed per contestant (a histogram for each side), its part in β one small matrix product per block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats
from ..newton import add_to_diagonal
from .design import Block, Design


@dataclass(frozen=True, eq=False)
class Residuals:
    """What a block leaves at some parameters."""

    block: Block
    left: Floats  # (B,) y - p
    spread: Floats  # (B,) p(1 - p)


class Weighted:
    """Σ u·z·zᵀ over blocks, M contestants and k columns."""

    def __init__(self, count: int, columns: int) -> None:
        self.pairs = np.zeros(count * count)
        self.cross = np.zeros((columns, count))
        self.dense = np.zeros((columns, columns))

    def add(self, block: Block, weight: Floats) -> None:
        """weight (B,) is u."""
        count = self.cross.shape[1]
        self.pairs += np.bincount(block.cell, weights=weight, minlength=len(self.pairs))
        weighted = block.columns * weight
        self.dense += weighted @ block.columns.T
        for total, column in zip(self.cross, weighted, strict=True):
            total += per_contestant(block, column, count)

    def matrix(self, present: Bools) -> Floats:
        """(m + k, m + k) over the contestants of `present` (M,)."""
        count, columns = len(present), len(self.dense)
        pairs = self.pairs.reshape(count, count)[np.ix_(present, present)]
        inner = -(pairs + pairs.T)
        add_to_diagonal(inner, -inner.sum(axis=1))
        m = len(inner)
        whole = np.empty((m + columns, m + columns))
        whole[:m, :m] = inner
        whole[m:, :m] = self.cross[:, present]
        whole[:m, m:] = whole[m:, :m].T
        whole[m:, m:] = self.dense
        return whole


def residuals(design: Design, strength: Floats, effect: Floats) -> Iterator[Residuals]:
    """Block by block at strengths (M,) and effects β (k,)."""
    gap = (strength[:, None] - strength[None, :]).ravel()
    for block in design.blocks():
        logit = gap[block.cell]
        logit += effect @ block.columns
        if block.offset is not None:
            logit += block.offset
        np.negative(logit, out=logit)
        with np.errstate(over="ignore"):  # beyond 700 logits the chance is 0 or 1 to the last bit
            chance = np.exp(logit, out=logit)
        chance += 1.0
        np.divide(1.0, chance, out=chance)
        spread = 1.0 - chance
        spread *= chance
        yield Residuals(block, block.outcome - chance, spread)


def per_contestant(block: Block, values: Floats, count: int) -> Floats:
    """(M,) Σ values under A minus Σ values under B."""
    shown_first = np.bincount(block.a, weights=values, minlength=count)
    return np.asarray(shown_first - np.bincount(block.b, weights=values, minlength=count))


def gradient_and_information(design: Design, strength: Floats, effect: Floats, present: Bools) -> tuple[Floats, Floats]:
    """(m + k,) and (m + k, m + k) of the log-likelihood."""
    count = len(strength)
    information = Weighted(count, len(effect))
    slope, along = np.zeros(count), np.zeros(len(effect))
    for part in residuals(design, strength, effect):
        left, spread, block = part.left, part.spread, part.block
        if block.weight is not None:
            left, spread = left * block.weight, spread * block.weight
        slope += per_contestant(block, left, count)
        along += block.columns @ left
        information.add(block, spread)
    return np.concatenate((slope[present], along)), information.matrix(present)


def meat(design: Design, strength: Floats, effect: Floats, present: Bools) -> Floats:
    """(m + k, m + k) Σ weight·(y - p)²·z·zᵀ: votes apart."""
    squares = Weighted(len(strength), len(effect))
    for part in residuals(design, strength, effect):
        squared = part.left * part.left
        squares.add(part.block, squared if part.block.weight is None else squared * part.block.weight)
    return squares.matrix(present)


def log_likelihood(design: Design, strength: Floats, effect: Floats) -> float:
    """Σ weight·(y·ln p + (1 - y)·ln(1 - p))."""
    total = 0.0
    gap = (strength[:, None] - strength[None, :]).ravel()
    for block in design.blocks():
        logit = gap[block.cell] + effect @ block.columns
        if block.offset is not None:
            logit += block.offset
        terms = block.outcome * logit - np.logaddexp(0.0, logit)
        total += float(terms.sum() if block.weight is None else terms @ block.weight)
    return total
