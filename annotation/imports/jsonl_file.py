"""Rows from JSON lines: one object per line. A member that is null or left out is an empty cell."""

import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from annotation.imports.problems import Problems, show
from annotation.imports.table_file import Chunk, Columns, Lines, Shape, TableFile, column_names
from foundation.text import clean_text

MOST_MEMBERS = 1000


class NotARow(ValueError):
    """A line that JSON or its types make unreadable."""


class JSONLFile(TableFile):
    """`columns` grows while the file is read: they are the members that any line has."""

    def __init__(self, path: Path, shape: Shape) -> None:
        self._path = path
        self._shape = shape
        self._size = path.stat().st_size
        self._lines: Lines | None = None
        self._members: dict[str, None] = {}
        self._refuse_a_first_line_that_is_no_row()

    @property
    def columns(self) -> Columns:
        required = self._shape.required
        return self._shape.sort([*required, *(name for name in self._members if name not in required)])

    @property
    def fraction(self) -> float:
        return self._lines.bytes_read / self._size if self._lines else 0.0

    def chunks(self, problems: Problems) -> Iterator[Chunk]:
        cells: list[dict[str, str | None]] = []
        numbers: list[int] = []
        with self._path.open("rb") as file:
            self._lines = lines = Lines(file, problems)
            shape, full_at = self._shape, self._shape.chunk_bytes
            for number, row in self._rows(lines, problems):
                cells.append(row)
                numbers.append(number)
                if len(cells) == shape.chunk_rows or lines.bytes_read >= full_at:
                    yield self._chunk(cells, numbers)
                    cells, numbers, full_at = [], [], lines.bytes_read + shape.chunk_bytes
        if cells:
            yield self._chunk(cells, numbers)

    def _chunk(self, cells: list[dict[str, str | None]], numbers: list[int]) -> Chunk:
        names = dict.fromkeys([*self._shape.always, *(name for row in cells for name in row)])
        columns = {name: _texts([row.get(name) for row in cells]) for name in names}
        return Chunk(columns, np.array(numbers, dtype=np.int64))

    def _rows(self, lines: Lines, problems: Problems) -> Iterator[tuple[int, dict[str, str | None]]]:
        read, is_read = self._shape.read_cell, self._shape.is_read
        for line in lines:
            if problems.full:
                return
            if not line.strip():
                continue
            try:
                row = read_object(line)
                if new := row.keys() - self._members.keys():
                    self._meet(new)
                yield lines.number, {name: read(name, value) for name, value in row.items() if is_read(name)}
            except ValueError as error:
                problems.add(lines.number, str(error))

    def _meet(self, names: Set[str]) -> None:
        self._members.update(dict.fromkeys(sorted(names)))
        if len(self._members) > MOST_MEMBERS:
            raise NotARow(f"the lines have more than {MOST_MEMBERS} different members")
        for name in names:
            if wrong := self._shape.wrong_name(name):
                raise NotARow(wrong)

    def _refuse_a_first_line_that_is_no_row(self) -> None:
        problems = Problems()
        with self._path.open("rb") as file:
            line = next((line for line in Lines(file, problems) if line.strip()), "")
        try:
            self._shape.sort(column_names(list(read_object(line))))
        except NotARow as error:
            problems.add(1, str(error))
        problems.raise_if_any()


def read_object(line: str) -> dict[str, Any]:
    """One line's object, its names stripped. Raises NotARow for anything else, and for a member given twice."""
    try:
        value = json.loads(
            line, parse_constant=_refuse_constant, parse_int=_read_integer, object_pairs_hook=_read_members
        )
    except NotARow:
        raise
    except RecursionError as error:
        raise NotARow("nested too deeply") from error
    except ValueError as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        column = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotARow(f"not JSON: {said}{column}") from error
    if not isinstance(value, dict):
        raise NotARow(f"{show(value)} is not an object")
    return value


def _read_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    names = column_names([name for name, _value in members])
    found = {name: value for name, (_raw, value) in zip(names, members, strict=True)}
    if len(found) < len(members):
        raise NotARow(f"the member {show(next(name for name in names if names.count(name) > 1))} is there twice")
    return found


def _refuse_constant(name: str) -> None:
    raise NotARow(f"{name} is not a number JSON knows")


def _read_integer(digits: str) -> int:
    # Checked before int(): parsing a million digits takes quadratic time.
    if len(digits) > 20:
        raise NotARow(f"an integer of {len(digits)} digits")
    return int(digits)


def _texts(column: list[str | None]) -> pa.Array:
    try:
        return pa.array(column, pa.string())
    except UnicodeEncodeError:
        # JSON can escape half of a surrogate pair, UTF-8 cannot hold it.
        return pa.array([clean_text(cell) if cell else cell for cell in column], pa.string())
