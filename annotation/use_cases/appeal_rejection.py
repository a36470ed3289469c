from datetime import datetime

from django.db import transaction

from accounts.texts import write_personal_text
from annotation.enums import ReviewState, Verdict
from annotation.errors import AnnotationError
from annotation.models import Respondent, Review, ReviewDecision
from annotation.transitions import REVIEW
from annotation.use_cases.record_event import record_event
from annotation.use_cases.submit_judgment import NotYourAssignment
from foundation.transitions import check


class AppealedBefore(AnnotationError):
    """A rejection is appealed against once."""


def appeal_rejection(*, judgment_id: int, respondent: Respondent, words: str, now: datetime) -> Review:
    """An annotator says why their judgment should not have been rejected; a third reviewer decides.

    Whoever was blocked or has left may too. Raises NotYourAssignment, AppealedBefore and ForbiddenTransition.
    """
    with transaction.atomic():
        people = Respondent.objects.select_for_update(of=["self"], no_key=True).select_related("person")
        locked = people.get(pk=respondent.pk)
        mine = Review.objects.select_for_update(of=["self"]).select_related("judgment")
        review = mine.filter(judgment=judgment_id, judgment__respondent=locked).first()
        if review is None or locked.person is None:
            raise NotYourAssignment("no such reviewed judgment of this respondent")
        check(REVIEW, review.state, ReviewState.APPEALED)
        if review.decisions.filter(verdict=Verdict.APPEAL).exists():
            raise AppealedBefore(f"judgment {judgment_id} was appealed for before")
        before, review.state, review.changed_at = review.state, ReviewState.APPEALED, now
        review.save(update_fields=["state", "changed_at"])
        text = write_personal_text(person=locked.person, text=words)
        decision = ReviewDecision.objects.create(
            review=review, verdict=Verdict.APPEAL, person=locked.person, personal_text=text
        )
        record_event(
            subject=review.judgment,
            verb="review_appeal",
            actor=locked.person,
            from_state=before,
            to_state=review.state,
            data={"decision": decision.pk},
        )
    return review
