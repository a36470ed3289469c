from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import ReviewState, Verdict
from annotation.models import Review
from annotation.use_cases.hold_review import (
    ReviewChanged,
    decide,
    hold_review,
    refuse_unless_standing,
    refuse_whoever_rejected,
)
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_out_judgment import take_out
from annotation.use_cases.withdraw_fee import withdraw_fee


def reject_judgment(*, judgment_id: int, message: str, actor: Person, now: datetime, seen: str | None = None) -> Review:
    """Reject a judgment, in words that its annotator reads once a second reviewer says the same.

    The second rejection takes it out of every view, asks somebody else in its place and withdraws its fee: all of it
    or nothing. Raises ReviewChanged, OwnJudgment, SameReviewer, NotStanding and ForbiddenTransition.
    """
    with transaction.atomic():
        review = hold_review(judgment_id=judgment_id, actor=actor, seen=seen)
        if review.state == ReviewState.APPEALED:
            raise ReviewChanged("the annotator has appealed")
        refuse_unless_standing(review)
        if review.state != ReviewState.CONTESTED:
            decide(review, to=ReviewState.CONTESTED, verdict=Verdict.REJECT, actor=actor, now=now, message=message)
            return review
        refuse_whoever_rejected(review, actor)
        decide(review, to=ReviewState.REJECTED, verdict=Verdict.REJECT, actor=actor, now=now, message=message)
        slot = take_out(review.judgment, now)
        if slot is not None:
            data = {"slot": slot.number, "judgment": review.judgment_id}
            record_event(subject=slot.item, verb="slot_added", actor=actor, reason="a judgment was rejected", data=data)
        withdraw_fee(judgment=review.judgment, actor=actor, now=now)
    return review
