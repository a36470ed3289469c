"""Reads a queryset as Arrow columns by COPY, without a Python object for every cell."""

from io import BytesIO
from typing import Any, cast

import pyarrow as pa
from django.db import connection
from django.db.models import F, FloatField, Func, QuerySet, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from pyarrow import csv


class AsJSON(Func):
    """An array or a JSON value as JSON text; null where it is null."""

    function = "to_json"
    template = "%(function)s(%(expressions)s)::text"
    output_field = TextField()


class InUTC(Func):
    template = "(%(expressions)s AT TIME ZONE 'UTC')"
    output_field = TextField()


def expression(path: str, kind: pa.DataType) -> Combinable:
    """How a field is asked for so that it can be read as `kind`; what is nested is asked for as JSON text."""
    if pa.types.is_timestamp(kind):
        return InUTC(F(path))
    if pa.types.is_nested(kind):
        return AsJSON(F(path))
    return Cast(F(path), FloatField()) if pa.types.is_floating(kind) else F(path)


def copy_columns(rows: "QuerySet[Any, Any]", schema: pa.Schema) -> pa.Table:
    """`rows` select exactly the schema's columns, in its order. Empty text stays empty text, null stays null."""
    # Filled in by the driver: COPY takes no parameters.
    query = cast(Any, connection.ops).compose_sql(*rows.query.sql_with_params())
    statement = f"COPY ({query}) TO STDOUT (FORMAT csv)"
    written = BytesIO()
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for block in copy:
            written.write(block)
    if not written.tell():
        return schema.empty_table()
    return csv.read_csv(
        pa.py_buffer(written.getbuffer()),
        read_options=csv.ReadOptions(column_names=schema.names, block_size=max(written.tell(), 1 << 16)),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
