from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import ReviewState, Verdict
from annotation.models import Judgment, Review, ReviewDecision
from annotation.use_cases.hold_review import ReviewChanged, decide, hold_review, refuse_whoever_rejected
from annotation.use_cases.put_back_judgment import put_back
from annotation.use_cases.withdraw_fee import restore_fee


def settle_appeal(
    *, judgment_id: int, granted: bool, message: str, actor: Person, now: datetime, seen: str | None = None
) -> Review:
    """Decide about an annotator's appeal; whoever rejected the judgment may not.

    Granted, the fee is owed again and the answer comes back as `put_back` says, approved. Refused, the rejection
    stands. Raises ReviewChanged, OwnJudgment and SameReviewer.
    """
    with transaction.atomic():
        review = hold_review(judgment_id=judgment_id, actor=actor, seen=seen)
        if review.state != ReviewState.APPEALED:
            raise ReviewChanged("there is no appeal to settle")
        refuse_whoever_rejected(review, actor, ever=True)
        to = ReviewState.APPROVED if granted else ReviewState.REJECTED
        verdict = Verdict.APPROVE if granted else Verdict.REJECT
        data = {"granted": granted}
        decide(review, to=to, verdict=verdict, actor=actor, now=now, message=message, data=data)
        if granted:
            restored = put_back(review.judgment, actor=actor, now=now)
            if restored is not None:
                _approve_restored(review, restored, actor, now)
            restore_fee(judgment=review.judgment, actor=actor, now=now)
    return review


def _approve_restored(review: Review, restored: Judgment, actor: Person, now: datetime) -> None:
    """What stands in the judgment's place stands approved, and in its batch."""
    batch, review.batch = review.batch, None
    review.save(update_fields=["batch"])
    again = Review.objects.create(
        campaign_id=review.campaign_id, judgment=restored, batch=batch, state=ReviewState.APPROVED, changed_at=now
    )
    ReviewDecision.objects.create(review=again, verdict=Verdict.APPROVE, person=actor)
