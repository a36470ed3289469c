"""What only PostgreSQL can say or hold: its clock, its advisory locks, its settings."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

import psycopg
import structlog
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Model
from psycopg import sql

DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")
log = structlog.get_logger(__name__)
# From 17 on a right of its own, which the application has (foundation/append_only.py).
CAN_BE_LET_ANALYZE = 170_000
SETTINGS = "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name"


@contextmanager
def planned_cursor(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[Any]:
    """A cursor of prepared statements: what comes again and again is planned once per connection.

    For a few rows out of many tables planning is most of the work. The server binds the parameters, so the statement
    must tell their types. A pooler between that knows no prepared statements needs `prepare_threshold` turned off.
    """
    connection = cast(Any, connections[using])
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = connection._prepare_cursor(psycopg.Cursor(connection.connection))
    with cursor:
        yield cursor


def database_now(*, using: str = DEFAULT_DB_ALIAS) -> datetime:
    """The database's clock at this moment, which leases go by, not the start of the transaction."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(datetime, cursor.fetchone()[0])


def lock_number(name: str) -> int:
    """The signed 64-bit number under which PostgreSQL locks `name`."""
    return int.from_bytes(sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], "big", signed=True)


@contextmanager
def advisory_lock(name: str, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Wait for `name` and hold it until the transaction ends, which may be after the block."""
    with transaction.atomic(using=using, savepoint=False):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number(name)])
        yield


def try_advisory_lock(name: str, *, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Take `name` until the transaction ends and say True, or say False at once when another holds it."""
    connection = connections[using]
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an advisory lock is held by a transaction; open one first")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_number(name)])
        return bool(cursor.fetchone()[0])


def server_settings(names: tuple[str, ...] = DURABILITY, *, using: str = DEFAULT_DB_ALIAS) -> dict[str, str]:
    """The named settings as this connection's session sees them."""
    with connections[using].cursor() as cursor:
        cursor.execute(SETTINGS, [list(names)])
        return dict(cursor.fetchall())


def count_anew(models: Iterable[type[Model]], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Tell the planner what these tables hold now that many rows came at once: until autovacuum does so, within a
    minute or two, it plans for a small table and may take minutes over what takes a second. A table that is being
    looked at already is left to whoever looks.
    """
    connection = connections[using]
    if cast(Any, connection).pg_version < CAN_BE_LET_ANALYZE:
        log.info("tables_not_counted_anew", reason="before PostgreSQL 17 only their owner may")
        return
    names = sql.SQL(", ").join(sql.Identifier(model._meta.db_table) for model in models)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(names))


@contextmanager
def lone_connection(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[psycopg.Connection]:
    """A connection beside Django's: it opens no pool before a fork, takes none from a pool that is busy, and works
    while an event loop runs, as it does where a server imports the application. Gives up within seconds.
    """
    params = connections[using].get_connection_params()
    for name in ("pool", "cursor_factory", "context"):
        params.pop(name, None)
    params["connect_timeout"] = 2
    with psycopg.connect(**params, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 1000")
        yield connection
