from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import BatchState, ReviewState, Verdict
from annotation.models import Review
from annotation.use_cases.hold_review import decide, hold_review
from annotation.use_cases.put_back_judgment import put_back
from annotation.use_cases.withdraw_fee import restore_fee


def reopen_review(*, judgment_id: int, message: str, actor: Person, now: datetime, seen: str | None = None) -> Review:
    """Undo a decision: the judgment waits for one again. Of a rejection the fee is owed again, and the answer comes
    back as `put_back` says. Raises ReviewChanged, OwnJudgment and ForbiddenTransition.
    """
    with transaction.atomic():
        review = hold_review(judgment_id=judgment_id, actor=actor, seen=seen)
        before = review.state
        decide(review, to=ReviewState.PENDING, verdict=Verdict.REOPEN, actor=actor, now=now, message=message)
        if review.batch is not None and review.batch.state != BatchState.OPEN:
            # It can be accepted with a later one.
            review.batch = None
            review.save(update_fields=["batch"])
        if before == ReviewState.REJECTED:
            put_back(review.judgment, actor=actor, now=now)
            restore_fee(judgment=review.judgment, actor=actor, now=now)
    return review
