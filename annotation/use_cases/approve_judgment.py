from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import ReviewState, Verdict
from annotation.models import Review
from annotation.use_cases.hold_review import ReviewChanged, decide, hold_review, refuse_unless_standing


def approve_judgment(*, judgment_id: int, actor: Person, now: datetime, seen: str | None = None) -> Review:
    """Accept a judgment, also one that a single reviewer rejected. An appeal is settled by `settle_appeal`.

    Raises ReviewChanged, OwnJudgment, NotStanding and ForbiddenTransition.
    """
    with transaction.atomic():
        review = hold_review(judgment_id=judgment_id, actor=actor, seen=seen)
        if review.state == ReviewState.APPEALED:
            raise ReviewChanged("the annotator has appealed")
        refuse_unless_standing(review)
        decide(review, to=ReviewState.APPROVED, verdict=Verdict.APPROVE, actor=actor, now=now)
    return review
