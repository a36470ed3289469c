"""Pairwise comparisons as index arrays: the one input of every fit in this package."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Bools, Floats, Ints, as_array, frozen, picked
from .errors import (
    BadAmount,
    BadCovariate,
    BadOutcome,
    BadWeight,
    MissingLabels,
    RankingError,
    ShapeMismatch,
    SingleContestant,
    UnknownIndex,
)
from .options import whole

# Between these, sums of as many as a log holds, and their squares and inverses, stay doubles.
SMALLEST_WEIGHT, LARGEST_WEIGHT = 1e-60, 1e60


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
    hold some); it says nothing about the order and no fit uses it for that. An amount may speak against its row's
    outcome: people who were asked twice do, and fits of amounts look at amounts alone.

    Raises ShapeMismatch, UnknownIndex, BadOutcome, BadWeight, BadAmount, BadCovariate, BadParameter, SingleContestant.
    """

    a: Ints  # (n,) index of the contestant shown as A, 0..count-1
    b: Ints  # (n,) index of the contestant shown as B
    outcome: Floats  # (n,) 1 = A preferred, 0 = B preferred, 0.5 = tie, and 0.5 where both_bad
    count: int  # M, contestants that may appear
    weight: Floats | None = None  # (n,) 0, or 1e-60 to 1e60; None = 1 each
    both_bad: Bools | None = None  # (n,) neither was acceptable; kept on a plane of its own
    annotator: Ints | None = None  # (n,) who judged
    prompt: Ints | None = None  # (n,) what was asked
    strength: Ints | None = None  # (n,) by how much, 1 = slightly and up; 0 exactly where outcome is 0.5; -1 = not said
    amount: Floats | None = None  # (n,) signed worth u(a) - u(b) in one unit; NaN = not asked, refused, or only bounded
    amount_low: Floats | None = None  # (n,) the worth is at least this, -inf = no bound; NaN = not asked or refused
    amount_high: Floats | None = None  # (n,) and at most this, +inf = no bound
    category: Ints | None = None  # (n,) the slice of the log that the row belongs to; -1 = unknown
    covariates: Floats | None = None  # (n, k) finite, of A minus B: length, headings, latency, ...
    propensity: Floats | None = None  # (n,) in (0, 1]: the probability with which the pair was drawn

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", whole("count", self.count))
        if self.count < 2:
            raise SingleContestant(f"count is {self.count}; give the number of contestants, at least two.")
        given = {name: values for name in _COLUMNS if (values := getattr(self, name)) is not None}
        columns = {name: _column(name, values) for name, values in given.items()}
        _check_lengths(columns)
        for name in ("a", "b"):
            _check_indices(name, columns[name], self.count)
        _check_outcomes(columns)
        _check_numbers(columns)
        for name, column in columns.items():
            object.__setattr__(self, name, frozen(column))

    def __len__(self) -> int:
        return len(self.a)

    @property
    def grade(self) -> Ints:
        """(n,) strength with a sign, above 0 where A was preferred; 0 for ties. Raises MissingLabels without strength.

        Rows whose strength was not said have none: leave them out first, `select(strength >= 0)`.
        """
        if self.strength is None or (self.strength < 0).any():
            raise MissingLabels("Every row needs a strength; select the rows that have one.")
        return np.where(self.outcome == 0.0, -self.strength, self.strength)

    def select(self, rows: ArrayLike | slice) -> Comparisons:
        """The rows picked by a mask, by places or by a slice, over the same contestants; `votes[:100]` is short for it.

        Raises ShapeMismatch, UnknownIndex.
        """
        some = picked(rows, len(self))
        columns = {name: values for name in _COLUMNS if (values := getattr(self, name)) is not None}
        return replace(self, **{name: values[some] for name, values in columns.items()})

    __getitem__ = select


@dataclass(frozen=True)
class _Kind:
    """What a column may hold: the dtype it is kept in, numpy's letters for what is accepted, what else raises."""

    dtype: type[np.generic]
    accepted: str
    refusal: type[RankingError]
    fix: str
    dimensions: int = 1


_INDEX = _Kind(np.int64, "iu", UnknownIndex, "number the labels with integers first")
_AMOUNT = _Kind(np.float64, "iufb", BadAmount, "give numbers, NaN where nothing was asked")
_COLUMNS = {
    "a": _INDEX,
    "b": _INDEX,
    "outcome": _Kind(np.float64, "iufb", BadOutcome, "use the numbers 1 (A), 0 (B) and 0.5 (tie)"),
    "weight": _Kind(np.float64, "iufb", BadWeight, "give numbers"),
    "both_bad": _Kind(np.bool_, "b", BadOutcome, "give True or False per comparison"),
    "annotator": _INDEX,
    "prompt": _INDEX,
    "strength": _Kind(np.int64, "iu", BadOutcome, "give whole numbers, 1 for slightly, -1 where it was not said"),
    "amount": _AMOUNT,
    "amount_low": _AMOUNT,
    "amount_high": _AMOUNT,
    "category": _INDEX,
    "covariates": _Kind(np.float64, "iufb", BadCovariate, "give numbers", dimensions=2),
    "propensity": _Kind(np.float64, "iuf", BadWeight, "give probabilities"),
}


def _column(name: str, values: ArrayLike) -> NDArray[np.generic]:
    array, kind = as_array(name, values), _COLUMNS[name]
    if array.ndim != kind.dimensions:
        wanted = "one value" if kind.dimensions == 1 else "one row of values"
        raise ShapeMismatch(f"{name} has {array.ndim} dimensions; give {wanted} per comparison.")
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


def _check_outcomes(columns: dict[str, NDArray[np.generic]]) -> None:
    outcome = columns["outcome"]
    known = (outcome == 1.0) | (outcome == 0.0) | (outcome == 0.5)
    if not known.all():
        row = int(np.argmin(known))
        raise BadOutcome(f"outcome[{row}] is {outcome[row]}; use 1 (A), 0 (B) or 0.5 (tie).")
    if (both_bad := columns.get("both_bad")) is not None and ((outcome != 0.5) & both_bad).any():
        raise BadOutcome("A row marked both_bad must have outcome 0.5: it says nothing about the order.")
    if (strength := _floats(columns, "strength")) is not None:
        at_odds = (strength >= 0) & ((strength == 0) != (outcome == 0.5)) | (strength < -1)
        if at_odds.any():
            row = int(np.argmax(at_odds))
            raise BadOutcome(
                f"strength[{row}] is {strength[row]:.0f} with outcome {outcome[row]}; give 0 for a tie, 1 or more for "
                "a preference, -1 where it was not said."
            )


def _check_numbers(columns: dict[str, NDArray[np.generic]]) -> None:
    if (weight := _floats(columns, "weight")) is not None:
        check_weights("weight", weight)
    if (amount := _floats(columns, "amount")) is not None and np.isinf(amount).any():
        raise BadAmount("amount holds an infinite value; use NaN where nothing was asked.")
    low, high = _floats(columns, "amount_low"), _floats(columns, "amount_high")
    if (low is None) != (high is None):
        raise BadAmount("amount_low and amount_high belong together; give both.")
    if low is not None and high is not None and ((np.isnan(low) != np.isnan(high)) | (low > high)).any():
        raise BadAmount("amount_low must not be above amount_high, and both or neither are NaN in a row.")
    if (covariates := _floats(columns, "covariates")) is not None and not np.isfinite(covariates).all():
        raise BadCovariate("covariates hold NaN or infinite values; leave those rows out or fill them in.")
    propensity = _floats(columns, "propensity")
    if propensity is not None and not ((propensity > 0.0) & (propensity <= 1.0)).all():
        raise BadWeight("propensity holds a value outside (0, 1]; a draw that happened has a probability.")


def _floats(columns: dict[str, NDArray[np.generic]], name: str) -> Floats | None:
    column = columns.get(name)
    return None if column is None else column.astype(np.float64, copy=False)


def check_weights(name: str, weight: Floats) -> None:
    """Raises BadWeight unless every value is 0, or positive and not so large or small that squares leave a double."""
    fine = (weight <= LARGEST_WEIGHT) & ((weight >= SMALLEST_WEIGHT) | (weight == 0.0))
    if not fine.all():
        where = np.unravel_index(int(np.argmin(fine)), fine.shape)
        place = ", ".join(str(int(index)) for index in where)
        held = f"{name}[{place}] is {weight[where]}"
        if np.isfinite(weight[where]) and weight[where] > 0.0:
            raise BadWeight(f"{held}; divide all by their mean, to within {SMALLEST_WEIGHT:g} and {LARGEST_WEIGHT:g}.")
        raise BadWeight(f"{held}; weights are finite and not negative.")
