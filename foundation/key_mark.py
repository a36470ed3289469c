"""Which deployment key a database is sealed under: a mark that `migrate` leaves and every later start is held to.

Two processes with two keys would seal into one database what neither can read back whole.
"""

from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from foundation.database import lone_connection
from foundation.encryption import blind_digest, is_usable

OTHER_KEY = (
    "CARDINAL_ENCRYPTION_KEY is not the key that this database is sealed under: what it holds could not be read, and"
    " what is written now could not be read by others. Set it to that key, which `.cardinal/keys.json` of its first"
    " installation or its keeper has."
)


def key_mark() -> str:
    """64 hex digits that tell whether two keys are the same and nothing else of them."""
    return blind_digest("this deployment", purpose="key mark")


def leave_mark(sender: Any, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """After a migrate: the present key becomes the database's, unless it has one. A flush is no migrate."""
    from foundation.models import KeyMark

    is_made = KeyMark._meta.db_table in connections[using].introspection.table_names()
    if "plan" in kwargs and is_made and is_usable():
        KeyMark.objects.using(using).get_or_create(pk=1, defaults={"digest": key_mark()})


def other_key(connection: psycopg.Connection) -> str:
    """Why this process may not work on this database; empty where it may, or where nothing is migrated yet."""
    try:
        found = connection.execute("SELECT digest FROM foundation_keymark").fetchone()
    except psycopg.errors.UndefinedTable:
        return ""
    return OTHER_KEY if found and is_usable() and found[0] != key_mark() else ""


def other_key_of_default() -> str:
    """The same for a command. A database that does not answer is the command's own matter."""
    try:
        with lone_connection() as connection:
            return other_key(connection)
    except psycopg.OperationalError:
        return ""
