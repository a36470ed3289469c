from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.models import Person
from annotation.errors import AnnotationError
from annotation.models import Campaign, Payout
from annotation.use_cases.accrue_fees import accrue_fees
from annotation.use_cases.record_entry import ledger_lock
from annotation.use_cases.record_event import record_event

# One statement, so that every part of it sees the same entries: what is committed meanwhile is in the next payout.
# What is left below a cent leaves this payout by an entry of -rest in it and is owed again by one of +rest after it.
PAY_OUT = """
WITH waiting AS (
    SELECT e.id, e.respondent_id, e.amount FROM annotation_ledgerentry e
    LEFT JOIN annotation_paidentry p ON p.entry_id = e.id
    WHERE e.campaign_id = %(campaign)s AND e.currency = %(currency)s AND p.id IS NULL
), person AS (
    SELECT respondent_id, trunc(sum(amount), 2) AS whole, sum(amount) - trunc(sum(amount), 2) AS rest
    FROM waiting GROUP BY respondent_id HAVING trunc(sum(amount), 2) > 0
), payout AS (
    INSERT INTO annotation_payout (campaign_id, number, currency, total, created_by_id, created_at)
    SELECT %(campaign)s, 1 + coalesce((SELECT max(number) FROM annotation_payout WHERE campaign_id = %(campaign)s), 0),
        %(currency)s, sum(whole), %(actor)s, %(now)s FROM person HAVING count(*) > 0
    RETURNING id
), line AS (
    INSERT INTO annotation_payoutline (payout_id, respondent_id, amount)
    SELECT payout.id, person.respondent_id, person.whole FROM person, payout
    RETURNING id, respondent_id
), left_out AS (
    INSERT INTO annotation_ledgerentry (campaign_id, respondent_id, kind, amount, currency, reason, created_at)
    SELECT %(campaign)s, respondent_id, 'carried', -rest, %(currency)s, '', %(now)s FROM person WHERE rest <> 0
    RETURNING id, respondent_id
), carried AS (
    INSERT INTO annotation_ledgerentry (campaign_id, respondent_id, kind, amount, currency, reason, created_at)
    SELECT %(campaign)s, respondent_id, 'carried', rest, %(currency)s, '', %(now)s FROM person WHERE rest <> 0
), paid AS (
    INSERT INTO annotation_paidentry (entry_id, line_id)
    SELECT waiting.id, line.id FROM waiting JOIN line USING (respondent_id)
    UNION ALL SELECT left_out.id, line.id FROM left_out JOIN line USING (respondent_id)
)
SELECT id FROM payout
"""
CURRENCIES = """
SELECT DISTINCT e.currency FROM annotation_ledgerentry e LEFT JOIN annotation_paidentry p ON p.entry_id = e.id
WHERE e.campaign_id = %(campaign)s AND p.id IS NULL ORDER BY 1
"""


class NothingToPay(AnnotationError):
    """Nobody is owed a whole cent that is not in a payout."""


def make_payouts(*, campaign_id: int, actor: Person | None, now: datetime) -> list[Payout]:
    """A file for payment of everything that is owed and in no earlier one; one for each currency.

    One line for each person, in whole cents, which are the sum of the entries behind it. Who owes us waits until they
    do not. Whoever asks at the same time waits, and finds nothing left: raises NothingToPay.
    """
    with transaction.atomic(), ledger_lock(campaign_id):
        campaign = Campaign.objects.get(pk=campaign_id)
        accrue_fees(campaign_id=campaign_id, now=now)
        made = [
            payout
            for currency in _waiting_currencies(campaign)
            if (payout := _pay_out(campaign, currency, actor, now)) is not None
        ]
        if not made:
            raise NothingToPay(f"campaign {campaign.slug} owes nobody a whole cent")
    return made


def _waiting_currencies(campaign: Campaign) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(CURRENCIES, {"campaign": campaign.pk})
        return [currency for (currency,) in cursor.fetchall()]


def _pay_out(campaign: Campaign, currency: str, actor: Person | None, now: datetime) -> Payout | None:
    values: dict[str, Any] = {"campaign": campaign.pk, "currency": currency, "now": now}
    values["actor"] = actor.pk if actor else None
    with connection.cursor() as cursor:
        cursor.execute(PAY_OUT, values)
        row = cursor.fetchone()
    if row is None:
        return None
    payout = Payout.objects.get(pk=row[0])
    data = {"total": str(payout.total), "currency": currency, "number": payout.number}
    record_event(subject=payout, verb="made", actor=actor, data=data)
    return payout
