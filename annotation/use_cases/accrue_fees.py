from datetime import datetime
from typing import Any

from django.db import connection

from annotation.models import LedgerEntry
from annotation.queries.earnings import OWING, PAID_KINDS, UNWRITTEN
from annotation.use_cases.record_entry import ledger_lock
from annotation.use_cases.record_event import record_event

# Of all campaigns together; what a sweep misses is written before the next payout.
NEWEST = 20_000
ACCRUE = f"""
WITH written AS (
    INSERT INTO annotation_ledgerentry
        (campaign_id, respondent_id, kind, amount, currency, reason, judgment_id, created_at)
    SELECT j.campaign_id, j.respondent_id, 'fee', c.pay_per_judgment, c.pay_currency, '', j.id, %(now)s
    {OWING} WHERE j.campaign_id = %(campaign)s AND j.id > %(after)s AND {UNWRITTEN} ORDER BY j.id
    ON CONFLICT DO NOTHING RETURNING id, amount
)
SELECT count(*), max(id), sum(amount) FROM written
"""  # noqa: S608 (constants)
CAMPAIGNS = f"""
SELECT DISTINCT j.campaign_id {OWING} WHERE j.id > %(after)s AND {UNWRITTEN} ORDER BY 1
"""


def accrue_fees(*, campaign_id: int, now: datetime, after: int = 0) -> int:
    """Write the fee of every judgment that has none, at today's pay; returns how many. Again writes nothing more.

    With `after` only of judgments with a higher id.
    """
    values: dict[str, Any] = {"campaign": campaign_id, "after": after, "now": now, "kinds": PAID_KINDS}
    with ledger_lock(campaign_id):
        with connection.cursor() as cursor:
            cursor.execute(ACCRUE, values)
            count, last, amount = cursor.fetchone()
        if count:
            data = {"entries": count, "amount": str(amount), "campaign": campaign_id}
            record_event(subject=LedgerEntry(pk=last), verb="fees_written", actor=None, data=data)
    return int(count)


def sweep_fees(*, now: datetime) -> int:
    """The fees of the newest judgments of all campaigns; returns how many were written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM annotation_judgment")
        after = max(0, cursor.fetchone()[0] - NEWEST)
        cursor.execute(CAMPAIGNS, {"after": after, "kinds": PAID_KINDS})
        campaigns = [pk for (pk,) in cursor.fetchall()]
    return sum(accrue_fees(campaign_id=pk, now=now, after=after) for pk in campaigns)
