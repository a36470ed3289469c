from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import EntryKind, JudgmentKind
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


def take_fee_back(*, judgment: Judgment, now: datetime) -> LedgerEntry | None:
    """Take back the fee of an answer that its annotator has just taken back, in that transaction. None where none was
    written, and then `accrue_fees` writes none: what is answered instead has a fee of its own.
    """
    with transaction.atomic(), ledger_lock(judgment.campaign_id):
        fee = LedgerEntry.objects.filter(kind=EntryKind.FEE, judgment=judgment).first()
        return None if fee is None else _reverse(fee, reason="taken back by who gave it", actor=None, now=now)


def _turn(
    judgment: Judgment, *, standing: bool, reason: str, actor: Person | None, now: datetime
) -> LedgerEntry | None:
    with transaction.atomic(), ledger_lock(judgment.campaign_id):
        fees = LedgerEntry.objects.filter(
            kind=EntryKind.FEE, judgment__respondent=judgment.respondent_id, judgment__item=judgment.item_id
        )
        fee = fees.exclude(judgment__superseded_by__kind=JudgmentKind.UNDONE).first()
        # Each entry turns the one before it round, so that the sign tells how the fee stands.
        if fee is None or (last_word(fee).amount > 0) != standing:
            return None
        return _reverse(fee, reason=reason, actor=actor, now=now)


def _reverse(fee: LedgerEntry, *, reason: str, actor: Person | None, now: datetime) -> LedgerEntry:
    last = last_word(fee)
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
