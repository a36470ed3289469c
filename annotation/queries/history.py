"""What annotators see of their own answers, and of what was decided about them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Case, OuterRef, Q, Subquery, When

from accounts.models import Person
from accounts.texts import read_personal_texts
from annotation.enums import JudgmentKind, ReviewState, Verdict
from annotation.models import Judgment, Respondent, Review, ReviewDecision

PAGE = 25
# What was returned is no news after a while; a rejection is until somebody has appealed against it.
TOLD_FOR = timedelta(days=30)
# Decided, and told. One reviewer's rejection is none yet.
TOLD = frozenset({ReviewState.APPROVED, ReviewState.REJECTED, ReviewState.APPEALED, ReviewState.RETURNED})


@dataclass(frozen=True)
class OwnAnswer:
    """`state` is "" for what nobody decided about. `messages` are reviewers' words, `appeal` the annotator's own."""

    judgment: Judgment
    state: str
    stands: bool
    messages: Sequence[str]
    appeal: str = ""
    may_appeal: bool = False


@dataclass(frozen=True)
class Against:
    """How many of somebody's answers were rejected, without an appeal, and returned; the newest of the messages."""

    rejected: int
    returned: int
    message: str


def decided_against(person: Person, now: datetime, *, slug: str | None = None) -> dict[str, Against]:
    """By campaign, in two queries: rejections until they are appealed against, and what was returned of late."""
    reviews = Review.objects.filter(
        Q(state=ReviewState.REJECTED) | Q(state=ReviewState.RETURNED, changed_at__gt=now - TOLD_FOR),
        judgment__respondent__person=person,
        judgment__superseded_by__superseded_by__isnull=True,
    ).exclude(decisions__verdict=Verdict.APPEAL)
    if slug is not None:
        reviews = reviews.filter(campaign__slug=slug)
    text = ReviewDecision.objects.filter(review=OuterRef("pk"), personal_text__isnull=False).order_by("-pk")
    rows = list(
        reviews.annotate(text=Subquery(text.values("personal_text")[:1]))
        .order_by("-changed_at", "-pk")
        .values_list("campaign__slug", "state", "text")
    )
    newest = {name: text for name, _state, text in reversed(rows) if text is not None}
    texts = read_personal_texts(newest.values())
    counts = Counter((name, state) for name, state, _text in rows)
    return {
        name: Against(
            rejected=counts[name, ReviewState.REJECTED.value],
            returned=counts[name, ReviewState.RETURNED.value],
            message=(texts[newest[name]] or "") if name in newest else "",
        )
        for name in {row[0] for row in rows}
    }


def own_history(
    respondent: Respondent, number: str, now: datetime, *, item: int | None = None
) -> tuple[Page[Judgment], list[OwnAnswer]]:
    """A page of this respondent's answers: those that stand, and those that were taken out. The one about `item` comes
    first, then what was rejected, appealed for, or returned of late, and then the newest.
    """
    # Of what was put back only the row that stands now.
    taken_out = Q(
        superseded_by__kind=JudgmentKind.RETRACTION,
        superseded_by__superseded_by__isnull=True,
    )
    answers = Judgment.objects.filter(
        Q(superseded_by__isnull=True) | taken_out, respondent=respondent, kind=JudgmentKind.ANSWER
    ).select_related("item__prompt", "review", "superseded_by", "supersedes__supersedes__review")
    told = Case(
        When(item=item, then=0),
        When(review__state__in=[ReviewState.REJECTED, ReviewState.APPEALED], then=1),
        When(review__state=ReviewState.RETURNED, review__changed_at__gt=now - TOLD_FOR, then=1),
        default=2,
    )
    ordered = answers.order_by(told, "-submitted_at", "-pk")
    page: Page[Judgment] = Paginator(ordered, PAGE).get_page(number)
    return page, _with_decisions(list(page))


def _with_decisions(judgments: Sequence[Judgment]) -> list[OwnAnswer]:
    """In two queries, however many they are."""
    reviews = {judgment.pk: _reviews(judgment) for judgment in judgments}
    ids = [review.pk for found in reviews.values() for review in found]
    decisions = list(ReviewDecision.objects.filter(review__in=ids, personal_text__isnull=False).order_by("pk"))
    texts = read_personal_texts(each.personal_text_id for each in decisions if each.personal_text_id)
    by_review: dict[int, list[tuple[str, str]]] = {}
    for each in decisions:
        by_review.setdefault(each.review_id, []).append((each.verdict, texts[each.personal_text_id or 0] or ""))
    return [
        _own(judgment, [said for review in reviews[judgment.pk] for said in by_review.get(review.pk, [])])
        for judgment in judgments
    ]


def _reviews(judgment: Judgment) -> list[Review]:
    """Its own, and that of the rejected one in whose place it was put back."""
    retraction = judgment.supersedes
    is_put_back = retraction is not None and retraction.kind == JudgmentKind.RETRACTION
    before = retraction.supersedes if retraction is not None and is_put_back else None
    return [row.review for row in (before, judgment) if row is not None and hasattr(row, "review")]


def _own(judgment: Judgment, said: Sequence[tuple[str, str]]) -> OwnAnswer:
    stands = not hasattr(judgment, "superseded_by")
    review = getattr(judgment, "review", None)
    if review is None:
        return OwnAnswer(judgment, "", stands, ())
    appeal = next((text for verdict, text in said if verdict == Verdict.APPEAL), "")
    state = review.state if review.state in TOLD or not stands else ""
    words = [text for verdict, text in said if verdict != Verdict.APPEAL and text] if state in TOLD else []
    may_appeal = review.state == ReviewState.REJECTED and all(verdict != Verdict.APPEAL for verdict, _words in said)
    return OwnAnswer(judgment, state, stands, words, appeal if state else "", may_appeal)
