"""Rows by columns: Arrow for files, JSON for lines, each different value made once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of few different values: `places` (n,) says which of `values` each row has."""

    values: Sequence[Any]
    places: np.ndarray

    @classmethod
    def same(cls, value: Any, count: int) -> "Coded":
        return cls([value], np.zeros(count, dtype=np.int64))

    @classmethod
    def each(cls, values: Sequence[Any]) -> "Coded":
        return cls(values, np.arange(len(values)))

    def take(self, rows: np.ndarray) -> "Coded":
        used, places = np.unique(self.places[rows], return_inverse=True)
        return Coded([self.values[place] for place in used], places)


Column: TypeAlias = "pa.Array | Coded"
# What JSON writes otherwise than as it is.
ESCAPED = r'["\\\x00-\x1f]'


@dataclass(frozen=True, eq=False)
class Page:
    """Some rows of a view. Every column of the schema is there."""

    schema: pa.Schema
    columns: Mapping[str, Column]

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> "Page":
        return cls(schema, {name: Coded.each([row.get(name) for row in rows]) for name in schema.names})

    def __len__(self) -> int:
        first = self.columns[self.schema.names[0]]
        return len(first.places) if isinstance(first, Coded) else len(first)

    def take(self, rows: np.ndarray) -> "Page":
        """The rows at these places."""
        taken = {
            name: column.take(rows) if isinstance(column, Coded) else column.take(pa.array(rows))
            for name, column in self.columns.items()
        }
        return Page(self.schema, taken)

    def values(self, name: str) -> np.ndarray:
        """One column as plain values."""
        column = self.columns[name]
        if isinstance(column, Coded):
            return np.array([column.values[place] for place in column.places], dtype=np.object_)
        return np.asarray(column.to_numpy(zero_copy_only=False))

    def batch(self) -> pa.RecordBatch:
        arrays = [_arrow(self.columns[field.name], field.type) for field in self.schema]
        return pa.record_batch(arrays, schema=self.schema)

    def lines(self) -> memoryview:
        """One JSON object a line, its members in the schema's order, all of them there: canonical bytes."""
        parts: list[Any] = []
        for index, field in enumerate(self.schema):
            parts += [f"{',' if index else '{'}{_encode(field.name)}:", _json(self.columns[field.name], field.type)]
        lines = pc.binary_join_element_wise(*parts, "}\n", "")
        offsets = np.frombuffer(lines.buffers()[1], dtype=np.int32)
        return memoryview(lines.buffers()[2])[offsets[0] : offsets[len(lines)]]


def coded(column: pa.Array) -> Coded:
    """The column by its different values, null last."""
    encoded = column.dictionary_encode()
    values = [*encoded.dictionary.to_pylist(), None]
    return Coded(values, pc.fill_null(encoded.indices, len(values) - 1).to_numpy(zero_copy_only=False))


def _arrow(column: Column, kind: pa.DataType) -> pa.Array:
    if isinstance(column, Coded):
        return pa.array(column.values, kind).take(pa.array(column.places))
    return column


def _json(column: Column, kind: pa.DataType) -> pa.Array:
    """Each value as JSON. Values go through Arrow first, so that both files say the same to the last digit and null."""
    if isinstance(column, Coded):
        return _encoded(pa.array(column.values, kind), kind).take(pa.array(column.places))
    if pa.types.is_integer(kind):
        return pc.fill_null(column.cast(pa.string()), "null")
    if pa.types.is_boolean(kind):
        return pc.fill_null(pc.if_else(column, "true", "false"), "null")
    if pa.types.is_timestamp(kind):
        return _encoded(column, kind)
    if pa.types.is_string(kind) and not pc.any(pc.match_substring_regex(column, ESCAPED)).as_py():
        return pc.fill_null(pc.binary_join_element_wise('"', column, '"', ""), "null")
    found = coded(column)
    return _encoded(pa.array(found.values, kind), kind).take(pa.array(found.places))


def _encoded(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        texts = pc.binary_join_element_wise('"', pc.strftime(values, "%Y-%m-%dT%H:%M:%S"), '+00:00"', "")
        return pc.fill_null(texts, "null")
    return pa.array([_encode(value) for value in values.to_pylist()], pa.string())
