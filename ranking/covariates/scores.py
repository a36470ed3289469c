"""The rows of a design as a likelihood of one point, with the score of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Bools, Floats
from ..clusters import Scores
from ..comparisons import Comparisons
from .design import Design
from .responses import Terms
from .sums import Parameters, gradient_and_information, log_likelihood, meat, residuals


@dataclass(frozen=True, eq=False)
class DesignRows:
    """n rows among M contestants of whom m are present; a point (m + k + q,) is θ, β and the shape.

    Scores are for rows among those present alone, as `of` makes them.
    """

    design: Design
    present: Bools  # (M,)

    @classmethod
    def of(cls, design: Design, rows: Comparisons) -> DesignRows:
        """Of rows that all count, among contestants who are all present."""
        return cls(design.on(rows), np.ones(rows.count, dtype=bool))

    @property
    def weight(self) -> Floats:
        """(n,)"""
        weight = self.design.rows.weight
        return np.ones(len(self.design.rows)) if weight is None else weight

    def parameters(self, point: Floats) -> Parameters:
        """Over all M contestants."""
        return Parameters.of(point, self.present, len(self.design.names))

    def leant(self, lean: Floats) -> Self:
        """The same rows with these leanings to the side."""
        return replace(self, design=self.design.on(self.design.rows, lean))

    def log_likelihood(self, point: Floats) -> float:
        """Of all rows."""
        return log_likelihood(self.design, self.parameters(point))

    def derivatives(self, point: Floats) -> tuple[Floats, Floats]:
        """Gradient and information."""
        return gradient_and_information(self.design, self.parameters(point), self.present)

    def meat(self, point: Floats) -> Floats:
        """(m + k + q, m + k + q) votes apart."""
        return meat(self.design, self.parameters(point), self.present)

    def scores(self, point: Floats) -> Scores:
        """(n, m + k + q) gradient of each row, times its weight."""
        return _rows(self.design, self.parameters(point), lambda terms: (terms.left, terms.shape))

    def side_terms(self, point: Floats) -> tuple[Floats, Floats]:
        """(n,) weighted ∂η and -∂η², see `leaning`."""
        parts = [(terms.left, terms.spread) for _, terms in residuals(self.design, self.parameters(point))]
        left, spread = (np.concatenate(part) for part in zip(*parts, strict=True))
        return self.weight * left, self.weight * spread

    def side_crossed(self, point: Floats) -> Scores:
        """(n, m + k + q) see `leaning`."""
        return _rows(self.design, self.parameters(point), lambda terms: (terms.spread, terms.crossed))


def _rows(columns: Design, at: Parameters, pick: Callable[[Terms], tuple[Floats, Floats]]) -> Scores:
    """(n, m + k + q) weight·(u·z, c) of each row, u (B,) and c (q, B) as picked."""
    rows, rest = columns.rows, len(at.effect) + len(at.shape)
    values, done = np.empty((len(rows), 2 + rest)), 0
    for block, terms in residuals(columns, at):
        part = values[done : done + len(block.a)]
        along, shape = pick(terms)
        part[:, 0], part[:, 1] = along, -along
        np.multiply(block.columns.T, along[:, None], out=part[:, 2 : 2 + len(at.effect)])
        part[:, 2 + len(at.effect) :] = shape.T.reshape(len(part), -1)
        if block.weight is not None:
            part *= block.weight[:, None]
        done += len(part)
    places = np.empty((len(rows), 2 + rest), dtype=np.int64)
    places[:, 0], places[:, 1], places[:, 2:] = rows.a, rows.b, rows.count + np.arange(rest)
    starts = np.arange(0, values.size + 1, 2 + rest)
    return csr_array((values.ravel(), places.ravel(), starts), shape=(len(rows), rows.count + rest))
