"""Each row's score, and what is left of it once annotators' leanings are taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Floats
from ..clusters import Scores
from .design import Design
from .responses import Terms
from .side import Leanings
from .sums import Parameters, residuals


def scores(columns: Design, at: Parameters) -> Scores:
    """(n, m + k + q) gradient of each row's log-likelihood."""
    return _rows(columns, at, lambda terms: (terms.left, terms.shape))


@dataclass(frozen=True, eq=False)
class Remainder:
    """Of a fit whose leanings d_k are drawn from N(0, ρ²)."""

    inverse: Floats  # (p, p) inverse information of strengths, effects and shape
    scores: Floats  # (n, p) dense

    def meat(self, weight: Floats | None) -> Floats:
        """(p, p) Σ weight·score·scoreᵀ: votes apart."""
        apart = self.scores if weight is None else self.scores / weight[:, None]
        return np.asarray(self.scores.T @ apart)


def without_leanings(columns: Design, at: Parameters, leanings: Leanings, information: Floats) -> Remainder:
    """From rows with positive weights and the information (p, p) where the leanings are known.

    Scores in d_k sum to d_k/ρ² at the maximum. Rows bear that in proportion to what they tell of d_k: votes summed by
    annotator then have the score of the likelihood with d_k integrated out.
    """
    annotator = columns.rows.annotator
    assert annotator is not None  # no_leanings has refused
    who, rows = len(leanings.annotator), len(annotator)
    place = np.minimum(np.searchsorted(leanings.annotator, annotator), who - 1)
    named = np.flatnonzero(annotator >= 0)
    member = csr_array((np.ones(len(named)), (place[named], named)), shape=(who, rows))
    left, spread = _in_logit(columns, at)
    total, whole = np.asarray(member @ left, np.float64), np.asarray(member @ spread, np.float64)
    curved = _rows(columns, at, lambda terms: (terms.spread, terms.crossed))
    taken = (member @ curved).toarray()
    share = taken / (whole + 1.0 / leanings.variance)[:, None]
    own = np.zeros(rows)
    borne = np.divide(total, whole, out=np.zeros_like(total), where=whole > 0.0)  # none whose rows all weigh nothing
    own[named] = (left - borne[place] * spread)[named]
    inverse = np.asarray(np.linalg.inv(information - taken.T @ share), np.float64)
    return Remainder(inverse, scores(columns, at).toarray() - own[:, None] * share[place])


def _in_logit(columns: Design, at: Parameters) -> tuple[Floats, Floats]:
    """(n,) weighted ∂η and -∂η²."""
    parts = []
    for block, terms in residuals(columns, at):
        weight = 1.0 if block.weight is None else block.weight
        parts.append((terms.left * weight, terms.spread * weight))
    left, spread = zip(*parts, strict=True)
    return np.concatenate(left), np.concatenate(spread)


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
