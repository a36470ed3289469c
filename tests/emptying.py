"""What a test committed goes away before the next: few rows by DELETE; where there are many, all tables anew.

Django's own flush makes every table, index, permission and content type again: 0.3 s behind each of 800 tests.
"""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError, connection

# What a migrate makes and no test changes; a flush would have to make it again.
KEPT = {"django_content_type", "auth_permission"}
# Past this a table's dead rows cost more than making it anew.
LARGE_BYTES = 4_000_000


@cache
def tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)


def empty(flush: Callable[[], None]) -> None:
    """As the owner, whom the log's triggers let; `flush` is Django's.

    A browser's last request, a draft that is saved as its page goes away, may hold what is being emptied.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE; SET session_replication_role = replica")
    try:
        for late in range(3):
            try:
                return delete_rows() if is_small() else flush()
            except (OperationalError, CommandError) as refused:
                cause = refused.__cause__ if isinstance(refused, CommandError) else refused
                if late == 2 or not isinstance(cause, OperationalError) or "deadlock detected" not in str(cause):
                    raise
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SET session_replication_role = origin; SET ROLE {settings.DATABASE_APP_ROLE}")


def is_small() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(pg_relation_size(name::regclass)) FROM unnest(%s::text[]) name", [tables()])
        return cursor.fetchone()[0] < LARGE_BYTES


def delete_rows() -> None:
    """One transaction that waits, as a flush does, for whoever still writes, and lets nobody write between."""
    names = [connection.ops.quote_name(name) for name in tables()]
    filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")
            cursor.execute(filled)
            for (name,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {name}")
        finally:
            # Of a transaction that failed, as one does whose lock was the deadlock's victim, this is the end as well.
            cursor.execute("COMMIT")
