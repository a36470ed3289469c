from datetime import datetime

from django.db import connection

from annotation.enums import RespondentKind
from annotation.models import LedgerEntry
from annotation.use_cases.record_entry import ledger_lock
from annotation.use_cases.record_event import record_event

# Of all campaigns together; what a sweep misses is written before the next payout.
NEWEST = 20_000
PAID_KINDS = [RespondentKind.ANNOTATOR.value, RespondentKind.EXPERT.value]
# What owes a fee that is not written: a person's first judgment of an assignment, whatever its item is for. `c` is its
# campaign, `r` who gave it. A rejection, which takes two reviewers, is the only thing that withholds one.
UNWRITTEN = """
    j.kind = 'answer' AND j.supersedes_id IS NULL AND j.assignment_id IS NOT NULL
    AND r.kind = ANY(%(kinds)s) AND c.pay_per_judgment > 0
    AND NOT EXISTS (SELECT 1 FROM annotation_ledgerentry e WHERE e.judgment_id = j.id AND e.kind = 'fee')
    AND NOT EXISTS (SELECT 1 FROM annotation_judgment n JOIN annotation_review v ON v.judgment_id = n.id
        WHERE n.assignment_id = j.assignment_id AND v.state IN ('rejected', 'appealed'))
"""
OWING = """
FROM annotation_judgment j
JOIN annotation_respondent r ON r.id = j.respondent_id JOIN annotation_campaign c ON c.id = j.campaign_id
"""
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
    values = {"campaign": campaign_id, "after": after, "now": now, "kinds": PAID_KINDS}
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
