"""From cells as they were read to votes in one shape, checked by whole columns."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.enums import Preference
from annotation.imports.cells import (
    FIRST_MOMENT,
    LARGEST_STRENGTH,
    BadCell,
    latest_moment,
    read_date,
    read_flag,
    read_label,
    read_outcome,
    read_strength,
    tidy,
)
from annotation.imports.problems import Problems
from annotation.imports.schema import FLAG_PREFIX, NOBODY, OUTCOME_CODES, REQUIRED, VOTES, flag_name
from annotation.imports.table_file import Chunk

MICROSECONDS = pa.timestamp("us", tz="UTC")
A, B, TIE = (OUTCOME_CODES.index(value) for value in (Preference.A, Preference.B, Preference.TIE))


class Normaliser:
    """Turns chunks into batches of `schema.VOTES`, and remembers what only the whole file shows.

    `contestants` and `judges` give each name its code, in the order of first appearance.
    """

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self.contestants: dict[str, int] = {}
        self.judges: dict[str, int] = {}
        self.flags: set[str] = set()
        self.rows = 0
        self.outcomes = np.zeros(len(OUTCOME_CODES), dtype=np.int64)
        self.with_itself = 0
        self.without_judge = 0
        self.strengths = 0
        self.largest_strength = 0.0
        self.whole_strengths = True

    def normalise(self, chunk: Chunk) -> pa.RecordBatch:
        """Problems are named and leave anything in the place of the cell: such a file is refused in the end."""
        a, b = (self._codes(name, chunk, self.contestants, np.int32(0)) for name in ("a", "b"))
        judge = self._codes("judge", chunk, self.judges, np.int32(NOBODY))
        outcome = self._gather(self._cells("outcome", chunk, read_outcome, 0), np.int8)
        strength = self._strengths(chunk, outcome)
        self.rows += len(chunk)
        self.outcomes += np.bincount(outcome, minlength=len(OUTCOME_CODES))
        self.with_itself += int((a == b).sum())
        self.without_judge += int((judge == NOBODY).sum())
        columns = [
            pa.array(a),
            pa.array(b),
            pa.array(outcome),
            pa.array(strength, mask=np.isnan(strength)),
            pa.array(judge),
            *(self._labels(name, chunk) for name in ("prompt", "category", "language")),
            self._flags(chunk),
            self._moments(chunk),
        ]
        return pa.record_batch(columns, schema=VOTES)

    def _cells(self, name: str, chunk: Chunk, read: Callable[[str], Any], empty: Any) -> tuple[list[Any], np.ndarray]:
        """`read` once for each different cell: what it found, and each row's place in that list."""
        column = chunk.columns.get(name)
        if column is None:
            return [empty], np.zeros(len(chunk), dtype=np.int64)
        encoded = column.dictionary_encode()
        found: list[Any] = []
        wrong: dict[int, str] = {}
        for place, cell in enumerate([*encoded.dictionary.to_pylist(), None]):
            found.append(empty)
            try:
                if tidied := tidy(cell):
                    found[place] = read(tidied)
                elif name in REQUIRED:
                    raise BadCell(f"{name} is empty")
            except BadCell as error:
                wrong[place] = str(error)
        places = pc.fill_null(encoded.indices, len(found) - 1).to_numpy(zero_copy_only=False).astype(np.int64)
        if wrong:
            self._name(chunk, np.isin(places, list(wrong)), lambda row: wrong[places[row]])
        return found, places

    def _name(self, chunk: Chunk, bad: np.ndarray, say: Callable[[int], str]) -> None:
        for row in np.flatnonzero(bad):
            if self._problems.full:
                return
            self._problems.add(int(chunk.lines[row]), say(int(row)))

    @staticmethod
    def _gather(cells: tuple[list[Any], np.ndarray], dtype: Any) -> np.ndarray:
        found, places = cells
        values: np.ndarray = np.array(found, dtype=dtype)
        return values.take(places)

    def _codes(self, name: str, chunk: Chunk, known: dict[str, int], empty: np.int32) -> np.ndarray:
        def code(cell: str) -> int:
            return known.setdefault(read_label(name, cell), len(known))

        return self._gather(self._cells(name, chunk, code, empty), np.int32)

    def _labels(self, name: str, chunk: Chunk) -> pa.Array:
        found, places = self._cells(name, chunk, partial(read_label, name), None)
        return pa.array(found, pa.string()).take(pa.array(places))

    def _strengths(self, chunk: Chunk, outcome: np.ndarray) -> np.ndarray:
        column = chunk.columns.get("strength")
        if column is not None and pa.types.is_floating(column.type):
            strength = column.to_numpy(zero_copy_only=False).astype(np.float64)
            given = ~column.is_null(nan_is_null=False).to_numpy(zero_copy_only=False)
        else:
            strength = self._gather(self._cells("strength", chunk, read_strength, np.nan), np.float64)
            given = ~np.isnan(strength)
        bad = given & ~(np.abs(strength) <= LARGEST_STRENGTH)
        self._name(chunk, bad, lambda row: f"strength is {strength[row]:g}, not a number up to {LARGEST_STRENGTH:g}")
        wanted = np.select([outcome == A, outcome == B], [1.0, -1.0], 0.0)
        contradicts = given & ~bad & (np.sign(strength) != wanted)
        self._name(chunk, contradicts, lambda row: _contradiction(strength[row], int(outcome[row])))
        # Where no side is better and none is said to be equal, there is nothing that a strength could measure.
        strength = np.where(bad | contradicts | ((outcome != A) & (outcome != B) & (outcome != TIE)), np.nan, strength)
        return self._remember(strength)

    def _remember(self, strength: np.ndarray) -> np.ndarray:
        given = strength[~np.isnan(strength)]
        if given.size:
            self.strengths += given.size
            self.largest_strength = max(self.largest_strength, float(np.abs(given).max()))
            self.whole_strengths &= bool((given == np.round(given)).all())
        return strength

    def _flags(self, chunk: Chunk) -> pa.Array:
        """PostgreSQL's literal of each row's flags; rows with the same flags share one."""
        names = sorted(name for name in chunk.columns if name.startswith(FLAG_PREFIX))
        self.flags.update(flag_name(name) for name in names)
        if not names:
            return pa.repeat(pa.scalar("{}"), len(chunk))
        marks = [self._gather(self._cells(name, chunk, partial(read_flag, name), False), np.bool_) for name in names]
        packed = np.ascontiguousarray(np.packbits(np.column_stack(marks), axis=1))
        keys = packed.view([("", packed.dtype)] * packed.shape[1]).ravel()
        _keys, first, places = np.unique(keys, return_index=True, return_inverse=True)
        literals = [
            array_literal([flag_name(name) for name, mark in zip(names, marks, strict=True) if mark[row]])
            for row in first
        ]
        return pa.array(literals).take(pa.array(places.ravel()))

    def _moments(self, chunk: Chunk) -> pa.Array:
        column = chunk.columns.get("date")
        if column is None or not pa.types.is_timestamp(column.type):
            found, places = self._cells("date", chunk, read_date, None)
            return pa.array(found, MICROSECONDS).take(pa.array(places))
        first, last = (pa.scalar(moment, MICROSECONDS) for moment in (FIRST_MOMENT, latest_moment()))
        outside = pc.or_(pc.less(column, first), pc.greater(column, last)).fill_null(False)
        self._name(chunk, outside.to_numpy(zero_copy_only=False), lambda row: "date is out of range, or in the future")
        return column


def array_literal(values: list[str]) -> str:
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"


def _contradiction(strength: float, outcome: int) -> str:
    said = OUTCOME_CODES[outcome]
    return f"strength {strength:g} contradicts the outcome {said} (plus: a is better, 0: no difference)"
