import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import connection, transaction

from annotation.models import Judgment, LogEntry
from foundation.database import advisory_lock

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
# A row may be numbered when no transaction older than its own can still commit: those below the snapshot's xmin.
# Everything older than the newest numbered row's transaction was numbered with it, so the search starts there.
# Rows at or above xmax are visible only if another cluster's backup brought them, so they are committed too.
READY = """
WITH snapshot AS (
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax
)
SELECT j.id FROM annotation_judgment j, snapshot s
WHERE j.transaction >= CASE WHEN %(last)s < s.xmax THEN %(last)s ELSE 0 END
  AND (j.transaction < s.xmin OR j.transaction >= s.xmax)
  AND NOT EXISTS (SELECT 1 FROM annotation_logentry e WHERE e.judgment_id = j.id)
ORDER BY j.transaction, j.id LIMIT %(batch)s
"""
GENESIS = bytes(32)


def canonical_judgment(values: dict[str, Any]) -> bytes:
    """The bytes that are chained: JSON with sorted keys, decimals and times as text."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def chain(previous: bytes, values: dict[str, Any]) -> bytes:
    return sha256(previous + canonical_judgment(values)).digest()


def sequence_log(*, now: datetime, batch: int = 5000) -> int:
    """Number every committed judgment that has no number, in commit order, and extend the hash chain.

    One sequencer at a time; a late commit gets a later number and is never skipped. Returns how many were numbered.
    """
    numbered = 0
    while True:
        with transaction.atomic(), advisory_lock("annotation.sequence_log"):
            count = _sequence_batch(batch)
        numbered += count
        if count < batch:
            return numbered


def _sequence_batch(batch: int) -> int:
    last = LogEntry.objects.select_related("judgment").order_by("-sequence").first()
    with connection.cursor() as cursor:
        cursor.execute(READY, {"last": last.judgment.transaction if last else 0, "batch": batch})
        ids = [row[0] for row in cursor.fetchall()]
    sequence, digest = (last.sequence, bytes(last.digest)) if last else (0, GENESIS)
    entries = []
    for values in _rows_in_order(ids):
        sequence += 1
        digest = chain(digest, values)
        entries.append(LogEntry(sequence=sequence, judgment_id=values["id"], digest=digest))
    LogEntry.objects.bulk_create(entries)
    return len(entries)


def _rows_in_order(ids: list[int]) -> Iterator[dict[str, Any]]:
    rows = {row["id"]: row for row in Judgment.objects.filter(pk__in=ids).values(*CHAINED)}
    return (rows[pk] for pk in ids)
