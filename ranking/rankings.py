"""Rankings of several contestants at once: the input of `fit_plackett_luce`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, Ints, frozen, picked
from .comparisons import Comparisons, check_weights
from .errors import BadCovariate, BadOutcome, BadWeight, RankingError, ShapeMismatch, SingleContestant, UnknownIndex
from .options import whole


@dataclass(frozen=True, eq=False, kw_only=True)
class Rankings:
    """n rankings among `count` contestants, each of any number of them, behind one another in flat arrays.

    Make them with `of`, `of_places` or `of_comparisons`. Contestants of equal place in a ranking are tied; only the
    order of places counts, not their distance. A contestant that a ranking leaves out was not judged there, which
    is not the same as last. Rankings of fewer than two say nothing and are allowed, as are none. A `weight` of 2
    means two such rankings. Labels of -1 are unknown. Arrays are read-only, as in `Comparisons`.

    `position` is where an entry stood when it was shown, each at most once in a ranking; `of_comparisons` has A first.
    It and `covariates` are of the entries, in their order: for `of` row after row as given, for `of_places` along each
    row of the table; `of_comparisons` gives A the difference and B zero, since only differences within a ranking count.

    Raises ShapeMismatch, UnknownIndex, BadOutcome, BadWeight, BadCovariate, SingleContestant.
    """

    contestant: Ints  # (k,) 0..count-1, each at most once in a ranking
    place: Ints  # (k,) 1 = best
    start: Ints  # (n + 1,) ranking r holds the entries start[r] to start[r + 1] - 1
    count: int  # M
    weight: Floats | None = None  # (n,) finite, >= 0; None = 1 each
    annotator: Ints | None = None  # (n,) who ranked
    prompt: Ints | None = None  # (n,) what was asked
    covariates: Floats | None = None  # (k, c) finite, of each entry: latency, length, ...
    position: Ints | None = None  # (k,) 1 = shown first

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", whole("count", self.count))
        if self.count < 2:
            raise SingleContestant(f"count is {self.count}; give the number of contestants, at least two.")
        for name, refusal in _WHOLE.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(_whole(name, getattr(self, name), refusal)))
        if self.weight is not None:
            object.__setattr__(self, "weight", frozen(_weights(self.weight)))
        if self.covariates is not None:
            object.__setattr__(self, "covariates", frozen(_covariates(self.covariates)))
        self._check_lengths()
        self._check_entries()

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def lengths(self) -> Ints:
        """(n,) contestants in each ranking."""
        return np.diff(self.start)

    def select(self, rows: ArrayLike | slice) -> Rankings:
        """The rankings picked by a mask, by places or by a slice, over the same contestants.

        Raises ShapeMismatch, UnknownIndex.
        """
        some = np.arange(len(self))[picked(rows, len(self))]
        lengths = self.lengths[some]
        start = np.concatenate(([0], np.cumsum(lengths)))
        entry = np.arange(start[-1]) + np.repeat(self.start[some] - start[:-1], lengths)
        labels = {name: values[some] for name in _LABELS if (values := getattr(self, name)) is not None}
        for name in _OF_ENTRIES:
            if (values := getattr(self, name)) is not None:
                labels[name] = values[entry]
        return replace(self, start=start, **labels)

    @classmethod
    def of(
        cls, rows: Sequence[ArrayLike], count: int, *, places: Sequence[ArrayLike] | None = None, **labels: ArrayLike
    ) -> Rankings:
        """From rows of contestants, best first; with `places` of the same shapes, in any order and with ties."""
        found = [np.asarray(row) for row in rows]
        given = [1 + np.arange(row.size) for row in found] if places is None else [np.asarray(row) for row in places]
        if [row.shape for row in found] != [row.shape for row in given] or any(row.ndim != 1 for row in found):
            raise ShapeMismatch("rows and places differ in shape; give flat rows, and one place for each entry.")
        start = np.cumsum([0, *(len(row) for row in found)])
        empty = np.empty(0, dtype=np.int64)
        contestant, place = np.concatenate([empty, *found]), np.concatenate([empty, *given])
        return cls(contestant=contestant, place=place, start=start, count=count, **labels)  # type: ignore[arg-type]

    @classmethod
    def of_places(cls, places: ArrayLike, **labels: ArrayLike) -> Rankings:
        """From a table (n, M) of places, 1 = best and 0 = not ranked there."""
        table = np.asarray(places)
        if table.ndim != 2:
            raise ShapeMismatch(f"places has {table.ndim} dimensions; give one row per ranking, one column each.")
        row, contestant = np.nonzero(table)
        start = np.searchsorted(row, np.arange(len(table) + 1))
        place, count = table[row, contestant], table.shape[1]
        return cls(contestant=contestant, place=place, start=start, count=count, **labels)  # type: ignore[arg-type]

    @classmethod
    def of_comparisons(cls, comparisons: Comparisons) -> Rankings:
        """Each comparison as a ranking of two; rows that are both_bad or of a contestant with itself stay out."""
        kept = comparisons.a != comparisons.b
        if comparisons.both_bad is not None:
            kept &= ~comparisons.both_bad
        votes = comparisons.select(kept)
        places = np.column_stack((np.where(votes.outcome == 0.0, 2, 1), np.where(votes.outcome == 1.0, 2, 1)))
        x = votes.covariates
        return cls(
            position=np.tile([1, 2], len(votes)),
            covariates=None if x is None else np.stack((x, np.zeros_like(x)), axis=1).reshape(2 * len(x), x.shape[1]),
            contestant=np.column_stack((votes.a, votes.b)).ravel(),
            place=places.ravel(),
            start=2 * np.arange(len(votes) + 1),
            count=votes.count,
            weight=votes.weight,
            annotator=votes.annotator,
            prompt=votes.prompt,
        )

    def _check_lengths(self) -> None:
        if len(self.contestant) != len(self.place):
            raise ShapeMismatch(f"contestant has {len(self.contestant)} entries, place {len(self.place)}; give both.")
        for name in ("covariates", "position"):
            if (values := getattr(self, name)) is not None and len(values) != len(self.place):
                raise ShapeMismatch(f"{name} has {len(values)} rows; give one for each of {len(self.place)} entries.")
        start = self.start
        if not len(start) or start[0] != 0 or start[-1] != len(self.place) or (np.diff(start) < 0).any():
            raise ShapeMismatch("start must rise from 0 to the number of entries; give one more value than rankings.")
        for name in _LABELS:
            if (values := getattr(self, name)) is not None and len(values) != len(self):
                raise ShapeMismatch(f"{name} has {len(values)} values; give one for each of {len(self)} rankings.")

    def _check_entries(self) -> None:
        known = (self.contestant >= 0) & (self.contestant < self.count)
        if not known.all():
            stranger = self.contestant[np.argmin(known)]
            raise UnknownIndex(f"contestant holds {stranger}; contestants are 0 to {self.count - 1}.")
        if len(self.place) and self.place.min() < 1:
            raise BadOutcome(f"place holds {self.place.min()}; places begin at 1, leave out who was not ranked.")
        row = np.repeat(np.arange(len(self)), self.lengths)
        cell = np.sort(row * self.count + self.contestant)
        if self.position is not None:
            _check_positions(self.position, row)
        if (twice := cell[1:][cell[1:] == cell[:-1]]).size:
            where, who = divmod(int(twice[0]), self.count)
            raise BadOutcome(f"Ranking {where} holds contestant {who} twice; keep one entry of each.")


_WHOLE = {
    "contestant": UnknownIndex,
    "place": BadOutcome,
    "position": BadCovariate,
    "start": ShapeMismatch,
    "annotator": UnknownIndex,
    "prompt": UnknownIndex,
}
_LABELS = ("weight", "annotator", "prompt")
_OF_ENTRIES = ("contestant", "place", "covariates", "position")


def _whole(name: str, values: ArrayLike, refusal: type[RankingError]) -> Ints:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ShapeMismatch(f"{name} has {array.ndim} dimensions; give a flat array.")
    if array.size and array.dtype.kind not in "iu":
        raise refusal(f"{name} holds {array.dtype}; give whole numbers.")
    return array.astype(np.int64, copy=False)


def _check_positions(position: Ints, row: Ints) -> None:
    if len(position) and position.min() < 1:
        raise BadCovariate(f"position holds {position.min()}; positions begin at 1, the entry that was shown first.")
    order = np.lexsort((position, row))
    if twice := int(((np.diff(position[order]) == 0) & (np.diff(row) == 0)).sum()):
        raise BadCovariate(f"{twice} entries share their position with another of the ranking; give each its own.")


def _weights(values: ArrayLike) -> Floats:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ShapeMismatch(f"weight has {array.ndim} dimensions; give one value per ranking.")
    if array.size and array.dtype.kind not in "iufb":
        raise BadWeight(f"weight holds {array.dtype}; give numbers.")
    weight = array.astype(np.float64, copy=False)
    check_weights("weight", weight)
    return weight


def _covariates(values: ArrayLike) -> Floats:
    array = np.asarray(values)
    if array.ndim != 2:
        raise ShapeMismatch(f"covariates has {array.ndim} dimensions; give one row of values per entry.")
    if array.dtype.kind not in "iufb" or not np.isfinite(array).all():
        raise BadCovariate(
            "covariates hold NaN, infinite values or no numbers; fill them in or leave the rankings out."
        )
    return array.astype(np.float64, copy=False)
