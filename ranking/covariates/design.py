"""The columns x of logit P(A preferred) = θ_a - θ_b + x·β: which there are, how they are scaled, when refused.

Covariates are of A minus B, so they are divided by their root mean square and never centred: a mean would be
one side's gain, and swapping the sides must change nothing but signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from ..arrays import Floats, Ints
from ..comparisons import Comparisons
from ..counts import BothBad, Counts
from ..errors import BadCovariate, ShapeMismatch
from .responses import Answers, HalfTies

# Rows worked on at once: six columns of them stay in a core's cache, and memory does not grow with the log.
BLOCK = 1 << 14
# A column whose information, once strengths and earlier columns took theirs, falls below this share is theirs.
COLLINEAR = 1e-8


class Side(StrEnum):
    """What is fitted for the side on which a response was shown."""

    NONE = "none"
    COMMON = "common"  # one intercept
    ANNOTATOR = "annotator"  # one intercept, and each annotator's own shrunken towards it


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows, ready to be summed."""

    cell: Ints  # (B,) a·M + b
    a: Ints  # (B,)
    b: Ints  # (B,)
    answer: Floats  # (B,) as the model reads it
    weight: Floats | None  # (B,)
    columns: Floats  # (k, B) scaled covariates, then the side
    offset: Floats | None  # (B,)


@dataclass(frozen=True, eq=False)
class Design:
    """n rows with k columns, the last of which is the side if there is one."""

    rows: Comparisons
    names: tuple[str, ...]  # (k,)
    scale: Floats  # (k,) root mean square of each covariate; 1 for the side
    side: bool
    both_bad: BothBad
    answers: Answers
    offset: Floats | None = None  # (n,) logits known beforehand

    def on(self, rows: Comparisons, offset: Floats | None = None) -> Design:
        """The same columns, equally scaled, of other rows."""
        return replace(self, rows=rows, offset=offset)

    def blocks(self) -> Iterator[Block]:
        """All rows, in order; those left out have weight zero."""
        rows = self.rows
        for start in range(0, len(rows), BLOCK):
            some = slice(start, start + BLOCK)
            a, b = rows.a[some], rows.b[some]
            cell = a * rows.count
            cell += b
            columns = np.ones((len(self.names), len(a)))
            if rows.covariates is not None:
                np.divide(
                    rows.covariates[some].T,
                    self.scale[: len(rows.covariates.T), None],
                    out=columns[: _covariates(rows)],
                )
            offset = None if self.offset is None else self.offset[some]
            weight = row_weights(rows, some, self.both_bad)
            strength = None if rows.strength is None else rows.strength[some]
            answer = self.answers.read(rows.outcome[some], strength)
            yield Block(cell, a, b, answer, weight, columns, offset)


def design(
    rows: Comparisons,
    side: Side,
    both_bad: BothBad,
    names: Sequence[str] | None = None,
    answers: Answers | None = None,
) -> Design:
    """Raises BadCovariate for a column that is constant or zero, ShapeMismatch for a wrong number of names."""
    called = names_of(_covariates(rows), names)
    intercept = side is not Side.NONE
    scale = np.append(_root_mean_squares(rows, called, both_bad), np.ones(int(intercept)))
    return Design(rows, called + ("side",) * intercept, scale, intercept, both_bad, answers or HalfTies())


def names_of(count: int, names: Sequence[str] | None) -> tuple[str, ...]:
    """(k,) of the covariates, those given or their numbers. Raises ShapeMismatch."""
    called = tuple(names) if names is not None else tuple(f"covariate {index}" for index in range(count))
    if len(called) != count:
        raise ShapeMismatch(f"There are {count} covariates and {len(called)} names; give one name for each.")
    return called


def row_weights(rows: Comparisons, some: slice, both_bad: BothBad) -> Floats | None:
    """(B,) weights with zero for what the fit leaves out, None if every row counts once."""
    weight = None if rows.weight is None else rows.weight[some]
    if both_bad is BothBad.HALF or rows.both_bad is None or not (bad := rows.both_bad[some]).any():
        return weight
    return np.where(bad, 0.0, 1.0 if weight is None else weight)


def rows_of(counts: Counts) -> Comparisons:
    """Weighted rows, one for each order of showing and outcome: all that a fit of strengths and side needs."""
    planes = ((counts.a_wins, 1.0, False), (counts.b_wins, 0.0, False), (counts.ties, 0.5, False))
    parts = []
    for plane, outcome, bad in (*planes, (counts.both_bad, 0.5, True)):
        a, b = np.nonzero(plane)
        parts.append((a, b, np.full(len(a), outcome), plane[a, b], np.full(len(a), bad)))
    a, b, outcomes, weight, both_bad = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Comparisons(a=a, b=b, outcome=outcomes, count=counts.count, weight=weight, both_bad=both_bad)


def refuse_collinear(information: Floats, names: tuple[str, ...], together: Floats) -> None:
    """Raises BadCovariate naming a column that strengths and the columns before it determine.

    `information` (m + k, m + k) of the rows alone; together (m, m) is 1 where two contestants share a scale.
    """
    m = len(together)
    strengths = information[:m, :m] + together * (information[:m, :m].trace() / max(m * m, 1))
    cross, own = information[:m, m:], information[m:, m:]
    left = own - cross.T @ np.linalg.solve(strengths, cross)
    for j, name in enumerate(names):
        if not left[j, j] > COLLINEAR * own[j, j]:
            earlier = ", ".join(names[:j])
            others = f" and {earlier}" if earlier else ""
            raise BadCovariate(
                f"{name} is a combination of the contestants{others}, so its effect cannot be told from theirs; "
                "leave it out."
            )
        left = left - np.outer(left[:, j], left[j]) / left[j, j]


def _covariates(rows: Comparisons) -> int:
    return 0 if rows.covariates is None else rows.covariates.shape[1]


def _root_mean_squares(rows: Comparisons, names: tuple[str, ...], both_bad: BothBad) -> Floats:
    """(k,) over the rows that count. Raises BadCovariate."""
    if rows.covariates is None:
        return np.empty(0)
    squares, weights = np.zeros(len(names)), 0.0
    first, varies = None, np.zeros(len(names), dtype=bool)
    for start in range(0, len(rows), BLOCK):
        some = slice(start, start + BLOCK)
        columns, weight = rows.covariates[some], row_weights(rows, some, both_bad)
        if weight is not None:
            columns, weight = columns[weight > 0], weight[weight > 0]
        if not len(columns):
            continue
        first = columns[0] if first is None else first
        if not varies.all():
            varies |= (columns != first).any(axis=0)
        weight = np.ones(len(columns)) if weight is None else weight
        squares += np.einsum("i,ij,ij->j", weight, columns, columns)
        weights += float(weight.sum())
    for name, value, moving in zip(names, [] if first is None else first.tolist(), varies.tolist(), strict=True):
        _refuse_constant(name, value, moving)
    return np.asarray(np.sqrt(squares / weights))


def _refuse_constant(name: str, value: float, varies: bool) -> None:
    if not varies and value == 0.0:
        raise BadCovariate(f"{name} is 0 in every row, so nothing shows its effect; leave it out.")
    if not varies:
        raise BadCovariate(f"{name} is {value:g} in every row: that is a side's gain; use Side.COMMON instead.")
