from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import EntryKind
from annotation.errors import AnnotationError
from annotation.models import LedgerEntry
from annotation.use_cases.record_entry import ledger_lock, record_entry

REVERSIBLE = frozenset({EntryKind.BONUS, EntryKind.SCREEN_OUT, EntryKind.DRAW})


class NotReversible(AnnotationError):
    """A fee, which only a rejection by two reviewers takes away, or an entry that itself sets something right."""


class ReversedBefore(AnnotationError):
    """It is taken back already."""


def reverse_entry(*, entry_id: int, reason: str, actor: Person | None, now: datetime) -> LedgerEntry:
    """Take back what was owed by mistake; both stay in the ledger. What was paid already is owed less next time."""
    entry = LedgerEntry.objects.select_related("respondent").get(pk=entry_id)
    with transaction.atomic(), ledger_lock(entry.campaign_id):
        if entry.kind not in REVERSIBLE:
            raise NotReversible(f"an entry for a {entry.kind} is not taken back by hand")
        if LedgerEntry.objects.filter(reversal_of=entry).exists():
            raise ReversedBefore(f"entry {entry_id} was reversed")
        return record_entry(
            respondent=entry.respondent,
            kind=EntryKind.REVERSAL,
            amount=-entry.amount,
            currency=entry.currency,
            reason=reason,
            reversal_of=entry,
            actor=actor,
            now=now,
        )
