from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import EntryKind
from annotation.models import Judgment, LedgerEntry
from annotation.use_cases.record_entry import ledger_lock, record_entry


def withdraw_fee(*, judgment: Judgment, actor: Person | None, now: datetime) -> LedgerEntry | None:
    """Take back the fee of a judgment that two reviewers rejected, or of the one it corrects.

    None where it stands no more, or was never written: `accrue_fees` writes none for a rejected judgment. Called in
    the transaction of the rejection, after the review's new state is written.
    """
    return _turn(judgment, standing=True, reason="rejected by two reviewers", actor=actor, now=now)


def restore_fee(*, judgment: Judgment, actor: Person | None, now: datetime) -> LedgerEntry | None:
    """Owe the fee again after an appeal was granted or a rejected judgment was opened again.

    None where it stands, or was never written: `accrue_fees` writes it then. Called after the review's new state is.
    """
    return _turn(judgment, standing=False, reason="no longer rejected", actor=actor, now=now)


def _turn(
    judgment: Judgment, *, standing: bool, reason: str, actor: Person | None, now: datetime
) -> LedgerEntry | None:
    with transaction.atomic(), ledger_lock(judgment.campaign_id):
        fee = LedgerEntry.objects.filter(
            kind=EntryKind.FEE, judgment__respondent=judgment.respondent_id, judgment__item=judgment.item_id
        ).first()
        if fee is None:
            return None
        last = last_word(fee)
        # Each entry turns the one before it round, so that the sign tells how the fee stands.
        if (last.amount > 0) != standing:
            return None
        return record_entry(
            respondent=last.respondent,
            kind=EntryKind.REVERSAL,
            amount=-last.amount,
            currency=last.currency,
            reason=reason,
            reversal_of=last,
            actor=actor,
            now=now,
        )


def last_word(entry: LedgerEntry) -> LedgerEntry:
    """The entry itself, or the newest of those that reverse it and each other."""
    while (later := LedgerEntry.objects.filter(reversal_of=entry).first()) is not None:
        entry = later
    return entry
