import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import pyarrow as pa
from django.db import connection, transaction
from psycopg import sql

from annotation.models import Judgment, LogEntry
from annotation.use_cases.copy_rows import copy_rows, count_anew_after
from foundation.database import advisory_lock, try_advisory_lock

# Columns of the judgment in the chain, in the order of the canonical JSON's keys. Never change, only version.
CHAINED = (
    "id",
    "campaign_id",
    "item_id",
    "respondent_id",
    "source_id",
    "impression_id",
    "instrument_id",
    "guidelines_id",
    "kind",
    "supersedes_id",
    "order",
    "contestants",
    "answers",
    "preference",
    "strength",
    "strength_scale",
    "amount_low",
    "amount_high",
    "net_utility",
    "currency",
    "amount_mode",
    "incentive",
    "acceptable",
    "tiers",
    "submitted_at",
)
# The first transaction id that this connection's snapshot and its own transaction leave open.
AHEAD = """
WITH ahead AS (
    SELECT GREATEST(
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_xact_id_if_assigned()::text::bigint + 1
    ) AS id
)
"""
# The oldest transaction of this database that could still commit; a caller's own commits its rows and their numbers
# together. A snapshot's own xmin will not do: it also waits for writers of every other database on the server. The
# snapshot is older than the look at the activity, so a transaction that is in neither had ended before the next
# statement begins. The activity has the low 32 bits of an id; the difference to `ahead` tells the rest. Autovacuum,
# the one that acts for no role, writes no judgments, and may have an id for as long as a large table takes it.
BY_A_ROLE = "AND a.usesysid IS NOT NULL"
HORIZON = f"""{AHEAD}
SELECT LEAST(n.id, min(n.id + ((a.backend_xid::text::bigint - n.id + 2147483648) & 4294967295) - 2147483648))
FROM ahead n LEFT JOIN pg_stat_activity a
    ON a.datname = current_database() AND a.backend_xid IS NOT NULL AND a.pid <> pg_backend_pid() {BY_A_ROLE}
GROUP BY n.id
"""  # noqa: S608 (constants)
# A row may be numbered when no transaction older than its own can still commit: those below the horizon.
# Everything before the newest numbered row, by transaction and then by id, was numbered before it: the search starts
# behind it, and one transaction of a million rows is walked through once.
# Rows from ahead are visible only if another cluster's backup brought them, so they are committed too.
READY = f"""{AHEAD}
SELECT j.id FROM annotation_judgment j, ahead n
WHERE (j.transaction, j.id) > (
    CASE WHEN %(last)s < n.id THEN %(last)s ELSE 0 END, CASE WHEN %(last)s < n.id THEN %(last_id)s ELSE 0 END
  )
  AND (j.transaction < %(horizon)s OR j.transaction >= n.id)
  AND NOT EXISTS (SELECT 1 FROM annotation_logentry e WHERE e.judgment_id = j.id)
ORDER BY j.transaction, j.id LIMIT %(batch)s
"""  # noqa: S608 (constants)
# Times without their zone, which every connection has as UTC, are read five times faster.
ROWS = sql.SQL("SELECT {} FROM {} WHERE id = ANY(%s)").format(
    sql.SQL(", ").join(
        sql.SQL("{} AT TIME ZONE 'UTC'" if name == "submitted_at" else "{}").format(sql.Identifier(name))
        for name in CHAINED
    ),
    sql.Identifier(Judgment._meta.db_table),
)
LOCK = "annotation.sequence_log"
GENESIS = bytes(32)
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode


def canonical_judgment(values: dict[str, Any]) -> bytes:
    """The bytes that are chained: JSON with sorted keys, decimals and times as text."""
    return _encode(values).encode()


def chain(previous: bytes, values: dict[str, Any]) -> bytes:
    return sha256(previous + canonical_judgment(values)).digest()


def sequence_log(*, now: datetime, batch: int = 5000, wait: bool = True) -> int:
    """Number every committed judgment that has no number, in commit order, and extend the hash chain.

    One sequencer at a time: another one's batch is waited for however long it takes, or with `wait` off left to it.
    A late commit gets a later number and is never skipped. Returns how many were numbered.
    """
    numbered = 0
    while True:
        with transaction.atomic():
            if not _is_ours(wait):
                return numbered
            count = _sequence_batch(batch)
        numbered += count
        if count < batch:
            count_anew_after(numbered, [Judgment, LogEntry])
            return numbered


def _is_ours(wait: bool) -> bool:
    """Hold the sequencer's lock until the transaction ends. A batch of an import may take longer than a request may."""
    if not wait:
        return try_advisory_lock(LOCK)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
    with advisory_lock(LOCK):
        pass  # held on, until the transaction ends
    return True


def _sequence_batch(batch: int) -> int:
    last = LogEntry.objects.select_related("judgment").order_by("-sequence").first()
    behind = {"last": last.judgment.transaction, "last_id": last.judgment_id} if last else {"last": 0, "last_id": 0}
    with connection.cursor() as cursor:
        cursor.execute(HORIZON)
        behind["horizon"] = cursor.fetchone()[0]
        cursor.execute(READY, {**behind, "batch": batch})
        ids = [row[0] for row in cursor.fetchall()]
    sequence, digest = (last.sequence, bytes(last.digest)) if last else (0, GENESIS)
    digests = []
    for values in _rows_in_order(ids):
        digest = chain(digest, values)
        digests.append(f"\\x{digest.hex()}")
    if ids:
        entries = {"sequence": range(sequence + 1, sequence + 1 + len(ids)), "judgment_id": ids, "digest": digests}
        copy_rows(table=LogEntry._meta.db_table, rows=pa.record_batch({k: pa.array(v) for k, v in entries.items()}))
    return len(ids)


def _rows_in_order(ids: list[int]) -> Iterator[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [ids])
        rows = {row[0]: dict(zip(CHAINED, row, strict=True)) for row in cursor.fetchall()}
    read_answers = lru_cache(maxsize=1024)(json.loads)
    for pk in ids:
        values = rows[pk]
        # Django leaves JSON as text where no field reads it.
        values["answers"] = read_answers(values["answers"])
        values["submitted_at"] = f"{values['submitted_at']}+00:00"
        yield values
