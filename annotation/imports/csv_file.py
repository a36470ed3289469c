"""Rows from comma-separated values, as RFC 4180 has them: quotes doubled in quotes, line ends allowed in them.

A file named .tsv is separated by tabs.
"""

import csv
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path

import numpy as np
import pyarrow as pa

from annotation.imports.problems import Problems
from annotation.imports.table_file import (
    LONGEST_LINE,
    Chunk,
    Columns,
    Lines,
    Shape,
    TableFile,
    column_names,
    refusal,
)

# For the whole process: its default is less than some people's longest cell, and a quote that never ends stops here.
csv.field_size_limit(LONGEST_LINE)


class CSVFile(TableFile):
    def __init__(self, path: Path, shape: Shape) -> None:
        self._path = path
        self._shape = shape
        self._delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        self._size = path.stat().st_size
        self._lines: Lines | None = None
        self._names = column_names(self._read_header())
        self._columns = shape.sort(self._names)

    @property
    def columns(self) -> Columns:
        return self._columns

    @property
    def fraction(self) -> float:
        return self._lines.bytes_read / self._size if self._lines else 0.0

    def chunks(self, problems: Problems) -> Iterator[Chunk]:
        wanted = row_picker([self._names.index(name) for name in self._columns.read])
        rows: list[tuple[str, ...]] = []
        numbers: list[int] = []
        shape, full_at = self._shape, self._shape.chunk_bytes
        with self._path.open("rb") as file:
            self._lines = lines = Lines(file, problems)
            for number, row in self._rows(lines, problems):
                rows.append(wanted(row))
                numbers.append(number)
                if len(rows) == shape.chunk_rows or lines.bytes_read >= full_at:
                    yield self._chunk(rows, numbers)
                    rows, numbers, full_at = [], [], lines.bytes_read + shape.chunk_bytes
                if problems.full:
                    break
        if rows:
            yield self._chunk(rows, numbers)

    def _rows(self, lines: Lines, problems: Problems) -> Iterator[tuple[int, list[str]]]:
        """Each row with the line it begins on. A cell may go over several lines, so the two are not the same."""
        width = len(self._names)
        reader = csv.reader(iter(lines), delimiter=self._delimiter, strict=True)
        next(reader)
        ended = lines.number
        try:
            for row in reader:
                number, ended = ended + 1, lines.number
                if len(row) == width:
                    yield number, row
                elif row:
                    problems.add(number, f"{len(row)} cells, the header has {width}")
        except csv.Error as error:
            problems.add(ended + 1, f"not readable as CSV from here on: {error}")

    def _chunk(self, rows: list[tuple[str, ...]], numbers: list[int]) -> Chunk:
        cells = zip(*rows, strict=True)
        columns = {name: pa.array(column, pa.string()) for name, column in zip(self._columns.read, cells, strict=True)}
        return Chunk(columns, np.array(numbers, dtype=np.int64))

    def _read_header(self) -> list[str]:
        problems = Problems()
        with self._path.open("rb") as file:
            try:
                header = next(csv.reader(iter(Lines(file, problems)), delimiter=self._delimiter, strict=True), [])
            except csv.Error as error:
                raise refusal(f"line 1: not readable as CSV: {error}") from error
        problems.raise_if_any()
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            raise refusal(f"line 1 has one column, {header[0][:60]!r}: separate the columns with commas")
        return header


def row_picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """The cells at these places, as a tuple also where there is one."""
    if len(places) == 1:
        return lambda row: (row[places[0]],)
    picked: Callable[[list[str]], tuple[str, ...]] = itemgetter(*places)
    return picked
