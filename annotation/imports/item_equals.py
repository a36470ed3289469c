"""Rows of a file of items that say the same, told before anything is imported: each would be an item of its own."""

from dataclasses import dataclass
from pathlib import Path

from annotation.imports.formats import open_table
from annotation.imports.item_columns import ItemColumns, ItemShape
from annotation.imports.problems import Problems

# Somebody waits for it, each time that a column is told otherwise.
MOST_ROWS = 10_000
MOST_NAMED = 10


@dataclass(frozen=True)
class EqualRows:
    """`named` are the lines of the first of them, each with the line that it repeats."""

    rows: int
    is_whole_file: bool
    count: int
    named: list[tuple[int, int]]


def equal_rows(path: Path, columns: ItemColumns) -> EqualRows:
    """Among the first rows, those of which all that is read of a row stood in an earlier one. Raises BrokenFile."""
    shape = ItemShape(columns.read)
    shape.chunk_rows = MOST_ROWS
    file = open_table(path, shape)
    chunk = next(iter(file.chunks(Problems(place=file.place))), None)
    if chunk is None:
        return EqualRows(0, is_whole_file=True, count=0, named=[])
    read = [chunk.columns[name].to_pylist() for name in columns.by_meaning.values() if name in chunk.columns]
    first_line: dict[tuple[str | None, ...], int] = {}
    equal = []
    for line, row in zip(chunk.lines.tolist(), zip(*read, strict=True), strict=False):
        first = first_line.setdefault(row, line)
        if first != line:
            equal.append((line, first))
    is_whole = len(chunk) < MOST_ROWS and path.stat().st_size < shape.chunk_bytes
    return EqualRows(len(chunk), is_whole, len(equal), equal[:MOST_NAMED])
