from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from accounts.models import Person
from annotation.enums import EntryKind
from annotation.errors import AnnotationError
from annotation.models import Draw, Judgment, LedgerEntry, Respondent
from annotation.use_cases.record_event import record_event
from foundation.database import advisory_lock
from foundation.text import clean_text

# What a ledger entry keeps of an amount.
FINEST = Decimal("0.0001")


class NotAnAmount(AnnotationError):
    """Finer than a ledger entry keeps, or no number."""


@contextmanager
def ledger_lock(campaign_id: int) -> Iterator[None]:
    """Held by whoever reads the ledger to decide what to write into it, until the transaction ends.

    The campaign's row comes first: an entry names it, and who changes its pay holds it while fees are written. Who
    holds a respondent's row does not take this lock: fees are written under it, and wait for that row.
    """
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM annotation_campaign WHERE id = %s FOR KEY SHARE", [campaign_id])
        with advisory_lock(f"annotation.ledger:{campaign_id}"):
            yield


def record_entry(
    *,
    respondent: Respondent,
    kind: str,
    amount: Decimal,
    currency: str,
    now: datetime,
    reason: str = "",
    judgment: Judgment | None = None,
    draw: Draw | None = None,
    reversal_of: LedgerEntry | None = None,
    actor: Person | None = None,
) -> LedgerEntry:
    """Write one amount that is owed, or taken back; called in the transaction of its cause. Refuses NotAnAmount.

    A second fee of a judgment, payout of a draw, screen-out of a person or reversal of an entry is an IntegrityError.
    """
    if not amount.is_finite() or amount != amount.quantize(FINEST):
        raise NotAnAmount(f"{amount} is no amount in {FINEST}")
    entry = LedgerEntry.objects.create(
        campaign_id=respondent.campaign_id,
        respondent=respondent,
        kind=EntryKind(kind),
        amount=amount,
        currency=currency,
        reason=clean_text(reason)[:300],
        judgment=judgment,
        draw=draw,
        reversal_of=reversal_of,
        approved_by=actor,
        created_at=now,
    )
    data = {"amount": str(amount), "currency": currency, "kind": entry.kind, "respondent": respondent.pk}
    record_event(subject=entry, verb="owed", actor=actor, reason=entry.reason, data=data)
    return entry
