"""Rows from Parquet. Types are checked once, on the file's schema; its problems count rows from 1."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from annotation.imports.problems import BrokenFile, Problem, Problems
from annotation.imports.table_file import Chunk, Columns, Shape, TableFile, column_names, refusal


class ParquetFile(TableFile):
    place = "row"

    def __init__(self, path: Path, shape: Shape) -> None:
        self._shape = shape
        try:
            # Without reading ahead, so that a file of one endless row group does not fill the memory.
            self._file = pq.ParquetFile(path, pre_buffer=False)
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise refusal(f"not readable as Parquet: {first_line(error)}") from error
        self._names = column_names(schema.names)
        self._columns = shape.sort(self._names)
        self._fields = {name: schema.field(self._names.index(name)) for name in self._columns.read}
        problems = [
            Problem(0, text) for name, field in self._fields.items() if (text := shape.wrong_type(name, field.type))
        ]
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
            for batch in self._file.iter_batches(batch_size=self._shape.chunk_rows, columns=wanted):
                first = self._rows_read + 1
                self._rows_read += len(batch)
                columns = {
                    name: self._shape.comparable(batch.column(field.name)) for name, field in self._fields.items()
                }
                yield Chunk(columns, np.arange(first, self._rows_read + 1))
                if problems.full:
                    return
        except (pa.ArrowException, OSError) as error:
            problems.add(self._rows_read + 1, f"not readable as Parquet from here on: {first_line(error)}")


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
