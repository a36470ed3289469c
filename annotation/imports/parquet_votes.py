"""Votes from Parquet. Types are checked once, on the file's schema; its problems count rows from 1."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from annotation.imports.problems import BrokenFile, Problem, Problems
from annotation.imports.schema import CHUNK_ROWS, FLAG_PREFIX, Chunk, Columns, column_names, sort_columns
from annotation.imports.vote_file import VoteFile, refusal


class ParquetVotes(VoteFile):
    place = "row"

    def __init__(self, path: Path) -> None:
        try:
            # Without reading ahead, so that a file of one endless row group does not fill the memory.
            self._file = pq.ParquetFile(path, pre_buffer=False)
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise refusal(f"not readable as Parquet: {first_line(error)}") from error
        self._names = column_names(schema.names)
        self._columns = sort_columns(self._names)
        self._fields = {name: schema.field(self._names.index(name)) for name in self._columns.read}
        problems = [Problem(0, text) for name, field in self._fields.items() if (text := wrong_type(name, field.type))]
        if problems:
            raise BrokenFile(problems, place=self.place)
        self._rows_read = 0

    @property
    def columns(self) -> Columns:
        return self._columns

    @property
    def fraction(self) -> float:
        rows: int = self._file.metadata.num_rows
        return self._rows_read / max(1, rows)

    def chunks(self, problems: Problems) -> Iterator[Chunk]:
        wanted = [field.name for field in self._fields.values()]
        try:
            for batch in self._file.iter_batches(batch_size=CHUNK_ROWS, columns=wanted):
                first = self._rows_read + 1
                self._rows_read += len(batch)
                columns = {name: comparable(batch.column(field.name)) for name, field in self._fields.items()}
                yield Chunk(columns, np.arange(first, self._rows_read + 1))
                if problems.full:
                    return
        except (pa.ArrowException, OSError) as error:
            problems.add(self._rows_read + 1, f"not readable as Parquet from here on: {first_line(error)}")


def wrong_type(name: str, found: pa.DataType) -> str:
    """What is wrong with a column's type, or nothing."""
    if pa.types.is_dictionary(found):
        found = found.value_type
    text = pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found)
    whole = pa.types.is_integer(found)
    if text or pa.types.is_null(found):
        return ""
    if name.startswith(FLAG_PREFIX):
        return "" if pa.types.is_boolean(found) or whole else f"{name} holds {found}, not true and false"
    if name == "strength":
        fits = whole or pa.types.is_floating(found) or pa.types.is_decimal(found)
        return "" if fits else f"{name} holds {found}, not numbers"
    if name == "date":
        return "" if pa.types.is_date(found) or pa.types.is_timestamp(found) else f"{name} holds {found}, not dates"
    return "" if whole else f"{name} holds {found}, not text or whole numbers"


def comparable(array: pa.Array) -> pa.Array:
    """Text, float64 or UTC microseconds, whatever of that family the file holds."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        return array.cast(pa.float64())
    if pa.types.is_date(array.type):
        return array.cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
    if pa.types.is_timestamp(array.type):
        return array.cast(pa.timestamp("us", tz=array.type.tz or "UTC"), safe=False).cast(pa.timestamp("us", tz="UTC"))
    if pa.types.is_boolean(array.type):
        return pc.if_else(array, "1", "0")
    return array.cast(pa.string())


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
