"""Pairwise comparisons as index arrays: the one input of every fit in this package."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Bools, Floats, Ints, frozen
from .errors import (
    BadAmount,
    BadOutcome,
    BadWeight,
    RankingError,
    ShapeMismatch,
    SingleContestant,
    UnknownIndex,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparisons:
    """n comparisons among `count` contestants, row by row in the order they were cast.

    Rows keep the order of the sides as they were shown, so that side bias can be seen. The arrays are
    converted once, checked once and then read-only; where no conversion was needed they share memory with
    what was given, so do not write to that afterwards. Zero rows are allowed here (a log that has just
    begun); the fits refuse them with `NoComparisons`.

    A `weight` of 2 means two such rows. For a weight that means importance rather than frequency, give each
    row its own `prompt` and fit with `Covariance.PROMPT`. A label of -1 in `annotator` or `prompt` is
    "unknown": each such row is a cluster of its own. A contestant met with itself is a valid row (public logs
    hold some); it says nothing about the order and no fit uses it for that.

    Raises ShapeMismatch, UnknownIndex, BadOutcome, BadWeight, BadAmount, SingleContestant.
    """

    a: Ints  # (n,) index of the contestant shown as A, 0..count-1
    b: Ints  # (n,) index of the contestant shown as B
    outcome: Floats  # (n,) 1 = A preferred, 0 = B preferred, 0.5 = tie, and 0.5 where both_bad
    count: int  # M, contestants that may appear
    weight: Floats | None = None  # (n,) finite, >= 0; None = 1 each
    both_bad: Bools | None = None  # (n,) neither was acceptable; kept on a plane of its own
    annotator: Ints | None = None  # (n,) who judged
    prompt: Ints | None = None  # (n,) what was asked
    amount: Floats | None = None  # (n,) signed worth u(a) - u(b) in one unit; NaN = not asked or refused

    def __post_init__(self) -> None:
        if self.count < 2:
            raise SingleContestant(f"count is {self.count}: a ranking needs at least two contestants.")
        given = {name: values for name in _COLUMNS if (values := getattr(self, name)) is not None}
        columns = {name: _column(name, values) for name, values in given.items()}
        _check_lengths(columns)
        for name in ("a", "b"):
            _check_indices(name, columns[name], self.count)
        _check_values(columns)
        for name, column in columns.items():
            object.__setattr__(self, name, frozen(column))

    def __len__(self) -> int:
        return len(self.a)

    def select(self, rows: ArrayLike) -> Comparisons:
        """The rows picked by a boolean mask or by index, over the same contestants."""
        picked = np.asarray(rows)
        columns = {name: values for name in _COLUMNS if (values := getattr(self, name)) is not None}
        return replace(self, **{name: values[picked] for name, values in columns.items()})


@dataclass(frozen=True)
class _Kind:
    """What a column may hold: the dtype it is kept in, numpy's letters for what is accepted, what else raises."""

    dtype: type[np.generic]
    accepted: str
    refusal: type[RankingError]
    fix: str


_INDEX = _Kind(np.int64, "iu", UnknownIndex, "number the labels with integers first")
_COLUMNS = {
    "a": _INDEX,
    "b": _INDEX,
    "outcome": _Kind(np.float64, "iufb", BadOutcome, "use the numbers 1 (A), 0 (B) and 0.5 (tie)"),
    "weight": _Kind(np.float64, "iufb", BadWeight, "give numbers"),
    "both_bad": _Kind(np.bool_, "b", BadOutcome, "give True or False per comparison"),
    "annotator": _INDEX,
    "prompt": _INDEX,
    "amount": _Kind(np.float64, "iufb", BadAmount, "give numbers, NaN where nothing was asked"),
}


def _column(name: str, values: ArrayLike) -> NDArray[np.generic]:
    array, kind = np.asarray(values), _COLUMNS[name]
    if array.ndim != 1:
        raise ShapeMismatch(f"{name} has {array.ndim} dimensions; give one value per comparison.")
    if array.size and array.dtype.kind not in kind.accepted:
        raise kind.refusal(f"{name} holds {array.dtype}; {kind.fix}.")
    return array.astype(kind.dtype, copy=False)


def _check_lengths(columns: dict[str, NDArray[np.generic]]) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ShapeMismatch(f"All columns need one value per comparison; lengths are {listed}.")


def _check_indices(name: str, index: NDArray[np.generic], count: int) -> None:
    # Read as unsigned, a negative index is huge: one pass finds both kinds of stranger.
    if index.size and int(index.view(np.uint64).max()) >= count:
        row = int(np.argmax(index.view(np.uint64) >= count))
        raise UnknownIndex(f"{name}[{row}] is {index[row]}; contestants are 0 to {count - 1}.")


def _check_values(columns: dict[str, NDArray[np.generic]]) -> None:
    outcome = columns["outcome"]
    known = (outcome == 1.0) | (outcome == 0.0) | (outcome == 0.5)
    if not known.all():
        row = int(np.argmin(known))
        raise BadOutcome(f"outcome[{row}] is {outcome[row]}; use 1 (A), 0 (B) or 0.5 (tie).")
    if (both_bad := columns.get("both_bad")) is not None and ((outcome != 0.5) & both_bad).any():
        raise BadOutcome("A row marked both_bad must have outcome 0.5: it says nothing about the order.")
    if (weight := columns.get("weight")) is not None:
        check_weights("weight", weight.astype(np.float64, copy=False))
    if (amount := columns.get("amount")) is not None and np.isinf(amount.astype(np.float64)).any():
        raise BadAmount("amount holds an infinite value; use NaN where nothing was asked.")


def check_weights(name: str, weight: Floats) -> None:
    """Raises BadWeight unless every value is finite and not negative."""
    fine = np.isfinite(weight) & (weight >= 0)
    if not fine.all():
        where = np.unravel_index(int(np.argmin(fine)), fine.shape)
        place = ", ".join(str(int(index)) for index in where)
        raise BadWeight(f"{name}[{place}] is {weight[where]}; weights are finite and not negative.")
