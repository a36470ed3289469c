from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import Person
from annotation.errors import AnnotationError
from annotation.models import Payment, Payout
from annotation.use_cases.record_event import record_event
from foundation.text import clean_text


class PaidBefore(AnnotationError):
    """Somebody said so before; their reference stands."""


def confirm_payment(*, payout_id: int, reference: str, actor: Person | None, now: datetime) -> Payment:
    """Somebody says that the whole payout was paid, and by which reference. Raises PaidBefore."""
    payout = Payout.objects.get(pk=payout_id)
    reference = clean_text(reference)[:200]
    try:
        with transaction.atomic():
            payment = Payment.objects.create(payout=payout, reference=reference, confirmed_by=actor, paid_at=now)
            record_event(subject=payout, verb="paid", actor=actor, data={"reference": reference})
    except IntegrityError as error:
        if "payout" not in str(error):
            raise
        raise PaidBefore(f"payout {payout.number} was paid") from error
    return payment
