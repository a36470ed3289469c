from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pyarrow as pa
from django.db import connection
from django.db.models import Model
from psycopg import sql
from pyarrow import csv

from foundation.database import count_anew

# One text for all of them: a row for each id costs more than the id.
RESERVE = "SELECT string_agg(nextval(pg_get_serial_sequence(%s, 'id'))::text, ',') FROM generate_series(1, %s)"
# From here on new rows may turn a plan.
MANY = 1000


def copy_rows(*, table: str, rows: pa.RecordBatch) -> None:
    """Insert whole columns by COPY, in the caller's transaction, under the constraints every INSERT meets.

    Columns left out take the database's default. Text that is null stays null, empty text stays empty.
    """
    names = sql.SQL(", ").join(sql.Identifier(name) for name in rows.schema.names)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), names)
    written = BytesIO()
    csv.write_csv(rows, written, csv.WriteOptions(include_header=False))
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.write(written.getbuffer())


def count_anew_after(rows: int, models: Sequence[type[Model]]) -> None:
    """What so many new rows, which are committed, change for the planner; few change nothing."""
    if rows >= MANY:
        count_anew(models)


def reserve_ids(*, table: str, count: int) -> np.ndarray:
    """Ids nobody else will get, ascending, for rows that other rows of the same transaction refer to."""
    with connection.cursor() as cursor:
        cursor.execute(RESERVE, [table, count])
        ids = np.fromstring(cursor.fetchone()[0], dtype=np.int64, sep=",")
    return np.sort(ids)
