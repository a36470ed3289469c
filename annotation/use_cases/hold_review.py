"""What every decision about a judgment begins and ends with."""

from datetime import datetime
from typing import Any

from accounts.models import Person
from accounts.texts import write_personal_text
from annotation.enums import Verdict
from annotation.errors import AnnotationError
from annotation.models import Judgment, Respondent, Review, ReviewDecision
from annotation.queries.reviews import saw_others
from annotation.transitions import REVIEW
from annotation.use_cases.record_event import record_event
from foundation.transitions import check


class ReviewChanged(AnnotationError):
    """Somebody decided meanwhile; whoever decides now has not seen it."""


class OwnJudgment(AnnotationError):
    """Nobody decides about what they judged themselves."""


class SameReviewer(AnnotationError):
    """A rejection needs two people, and an appeal a third."""


class NotStanding(AnnotationError):
    """The judgment was corrected or taken out; there is nothing left to decide about it."""


def hold_review(*, judgment_id: int, actor: Person, seen: str | None) -> Review:
    """The judgment's review under lock, made where there is none. `seen` is the state that the decision rests on.

    Its annotator is held first: whoever corrects, blocks or decides meanwhile waits. Their row's key stays free, so
    that what only refers to them does not. Raises OwnJudgment and ReviewChanged.
    """
    judgment = Judgment.objects.select_related("item").get(pk=judgment_id)
    people = Respondent.objects.select_for_update(of=["self"], no_key=True)
    if people.get(pk=judgment.respondent_id).person_id == actor.pk:
        raise OwnJudgment(f"judgment {judgment_id} is the reviewer's own")
    made, _is_new = Review.objects.get_or_create(judgment=judgment, defaults={"campaign_id": judgment.campaign_id})
    review = Review.objects.select_for_update(of=["self"]).get(pk=made.pk)
    if seen is not None and review.state != seen:
        raise ReviewChanged(f"the review is {review.state}, not {seen}")
    review.judgment = judgment
    return review


def refuse_unless_standing(review: Review) -> None:
    if Judgment.objects.filter(supersedes=review.judgment_id).exists():
        raise NotStanding(f"judgment {review.judgment_id} was superseded")


def refuse_whoever_rejected(review: Review, actor: Person, *, ever: bool = False) -> None:
    """Raise SameReviewer for whoever rejected it last, or `ever`."""
    rejected = list(review.decisions.filter(verdict=Verdict.REJECT).values_list("person", flat=True))
    if actor.pk in (rejected if ever else rejected[-1:]):
        raise SameReviewer("the same person rejected it before")


def decide(
    review: Review,
    *,
    to: str,
    verdict: str,
    actor: Person,
    now: datetime,
    message: str = "",
    data: dict[str, Any] | None = None,
) -> ReviewDecision:
    """Write the decision, its words sealed under their author's key, and the state it leads to."""
    check(REVIEW, review.state, to)
    before, review.state, review.changed_at = review.state, to, now
    review.save(update_fields=["state", "changed_at"])
    text = write_personal_text(person=actor, text=message) if message else None
    decision = ReviewDecision.objects.create(review=review, verdict=verdict, person=actor, personal_text=text)
    seen = saw_others(review.judgment.item_id, actor, besides=review.judgment_id)
    record_event(
        subject=review.judgment,
        verb=f"review_{verdict}",
        actor=actor,
        from_state=before,
        to_state=to,
        data={"decision": decision.pk, "saw_others": seen, **(data or {})},
    )
    return decision
