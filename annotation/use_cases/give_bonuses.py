from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import EntryKind
from annotation.models import Campaign, LedgerEntry, Respondent
from annotation.policies.bonus_list import Bonus, BonusesRefused
from annotation.queries.pay import people_named, unknown_people
from annotation.use_cases.record_entry import record_entry
from foundation.idempotency import body_hash, once


def give_bonuses(
    *, campaign_id: int, bonuses: Sequence[Bonus], key: str, actor: Person | None, now: datetime
) -> list[LedgerEntry]:
    """Owe each person of the list their bonus, in the campaign's currency of pay: all of them, or BonusesRefused.

    `key` was minted with the form: sent again it is the same list once, and gives what was written then.
    """
    campaign = Campaign.objects.get(pk=campaign_id)
    body = body_hash([asdict(bonus) for bonus in bonuses])
    with transaction.atomic(), once(key=key, scope=f"bonuses:{campaign_id}", body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return list(LedgerEntry.objects.filter(pk__in=attempt.response["entries"]).order_by("pk"))
        people = _people(campaign, bonuses)
        entries = [
            record_entry(
                respondent=people[bonus.pseudonym],
                kind=EntryKind.BONUS,
                amount=bonus.amount,
                currency=campaign.pay_currency,
                reason=bonus.reason,
                actor=actor,
                now=now,
            )
            for bonus in bonuses
        ]
        attempt.response = {"entries": [entry.pk for entry in entries]}
    return entries


def _people(campaign: Campaign, bonuses: Sequence[Bonus]) -> dict[str, Respondent]:
    if problems := unknown_people(campaign, bonuses):
        raise BonusesRefused(problems)
    return {respondent.pseudonym: respondent for respondent in people_named(campaign, bonuses)}
