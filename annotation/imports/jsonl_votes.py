"""Votes from JSON lines: one object per line. A member that is null or left out is an empty cell."""

import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from annotation.imports.problems import Problems, show
from annotation.imports.schema import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    FLAG_PREFIX,
    LONGEST_FLAG,
    OPTIONAL,
    REQUIRED,
    Chunk,
    Columns,
    column_names,
    flag_name,
    sort_columns,
)
from annotation.imports.vote_file import Lines, VoteFile
from foundation.text import clean_text

MOST_MEMBERS = 1000


class NotAVote(ValueError):
    """A line that JSON or its types make unreadable."""


class JSONLVotes(VoteFile):
    """`columns` grows while the file is read: they are the members that any line has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size
        self._lines: Lines | None = None
        self._members: dict[str, None] = {}
        self._refuse_a_first_line_that_is_no_vote()

    @property
    def columns(self) -> Columns:
        return sort_columns([*REQUIRED, *(name for name in self._members if name not in REQUIRED)])

    @property
    def fraction(self) -> float:
        return self._lines.bytes_read / self._size if self._lines else 0.0

    def chunks(self, problems: Problems) -> Iterator[Chunk]:
        cells: list[dict[str, str | None]] = []
        numbers: list[int] = []
        with self._path.open("rb") as file:
            self._lines = lines = Lines(file, problems)
            full_at = CHUNK_BYTES
            for number, vote in self._votes(lines, problems):
                cells.append(vote)
                numbers.append(number)
                if len(cells) == CHUNK_ROWS or lines.bytes_read >= full_at:
                    yield _chunk(cells, numbers)
                    cells, numbers, full_at = [], [], lines.bytes_read + CHUNK_BYTES
        if cells:
            yield _chunk(cells, numbers)

    def _votes(self, lines: Lines, problems: Problems) -> Iterator[tuple[int, dict[str, str | None]]]:
        for line in lines:
            if problems.full:
                return
            if not line.strip():
                continue
            try:
                vote = read_object(line)
                if new := vote.keys() - self._members.keys():
                    self._meet(new)
                yield lines.number, {name: _read_cell(name, value) for name, value in vote.items() if is_read(name)}
            except NotAVote as error:
                problems.add(lines.number, str(error))

    def _meet(self, names: Set[str]) -> None:
        self._members.update(dict.fromkeys(sorted(names)))
        if len(self._members) > MOST_MEMBERS:
            raise NotAVote(f"the lines have more than {MOST_MEMBERS} different members")
        for name in names:
            if name.startswith(FLAG_PREFIX) and not 0 < len(flag_name(name)) <= LONGEST_FLAG:
                raise NotAVote(f"the member {show(name)} names no category of at most {LONGEST_FLAG} characters")

    def _refuse_a_first_line_that_is_no_vote(self) -> None:
        problems = Problems()
        with self._path.open("rb") as file:
            line = next((line for line in Lines(file, problems) if line.strip()), "")
        try:
            sort_columns(column_names(list(read_object(line))))
        except NotAVote as error:
            problems.add(1, str(error))
        problems.raise_if_any()


def read_object(line: str) -> dict[str, Any]:
    """One line's object, its names stripped. Raises NotAVote for anything else, and for a member given twice."""
    try:
        value = json.loads(
            line, parse_constant=_refuse_constant, parse_int=_read_integer, object_pairs_hook=_read_members
        )
    except NotAVote:
        raise
    except RecursionError as error:
        raise NotAVote("nested too deeply") from error
    except ValueError as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        column = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotAVote(f"not JSON: {said}{column}") from error
    if not isinstance(value, dict):
        raise NotAVote(f"{show(value)} is not an object")
    return value


def _read_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    names = column_names([name for name, _value in members])
    found = {name: value for name, (_raw, value) in zip(names, members, strict=True)}
    if len(found) < len(members):
        raise NotAVote(f"the member {show(next(name for name in names if names.count(name) > 1))} is there twice")
    return found


def _refuse_constant(name: str) -> None:
    raise NotAVote(f"{name} is not a number JSON knows")


def _read_integer(digits: str) -> int:
    # Checked before int(): parsing a million digits takes quadratic time.
    if len(digits) > 20:
        raise NotAVote(f"an integer of {len(digits)} digits")
    return int(digits)


def is_read(name: str) -> bool:
    return name in REQUIRED or name in OPTIONAL or name.startswith(FLAG_PREFIX)


def _read_cell(name: str, value: Any) -> str | None:
    """Cells become text here and are judged as text, so that every format obeys the same rules."""
    if value is None or isinstance(value, str):
        return value
    if name.startswith(FLAG_PREFIX):
        if value is True or value is False or (type(value) is int and value in (0, 1)):
            return str(int(value))
        raise NotAVote(f"{name} is {show(value)}, not true or false")
    if type(value) is int or (type(value) is float and name == "strength"):
        return repr(value)
    raise NotAVote(f"{name} is {show(value)}, not {'a number' if name == 'strength' else 'text or a whole number'}")


def _chunk(cells: list[dict[str, str | None]], numbers: list[int]) -> Chunk:
    names = dict.fromkeys([*REQUIRED, *OPTIONAL, *(name for vote in cells for name in vote)])
    columns = {name: _texts([vote.get(name) for vote in cells]) for name in names}
    return Chunk(columns, np.array(numbers, dtype=np.int64))


def _texts(column: list[str | None]) -> pa.Array:
    try:
        return pa.array(column, pa.string())
    except UnicodeEncodeError:
        # JSON can escape half of a surrogate pair, UTF-8 cannot hold it.
        return pa.array([clean_text(cell) if cell else cell for cell in column], pa.string())
