"""Sums over a long log, kept between the pages that show them. A short log is summed each time."""

from collections.abc import Callable
from typing import Any

import redis
from django.core.cache import caches
from django.db import connection

MINUTE = 60
DAY = 24 * 60 * MINUTE


def kept(name: str, stamp: list[Any], compute: Callable[[], Any], *, seconds: int = DAY) -> Any:
    """What was computed under this stamp, at most so many seconds ago; or computed now. All of it is plain JSON."""
    key = f"annotation.kept:1:{name}"
    try:
        found = caches["summaries"].get(key)
        if found is not None and found["stamp"] == stamp:
            return found["value"]
    except redis.RedisError:
        return compute()
    value = compute()
    try:
        caches["summaries"].set(key, {"stamp": stamp, "value": value}, timeout=seconds)
    except redis.RedisError:
        return value
    return value


def newest(*tables: str) -> list[int]:
    """The last number of each, of all campaigns together: looked up at the end of an index, and changed by any row."""
    ends = ", ".join(f"(SELECT coalesce(max(id), 0) FROM {table})" for table in tables)  # noqa: S608 (constants)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {ends}")
        return list(cursor.fetchone() or ())
