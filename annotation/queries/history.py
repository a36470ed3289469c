"""What annotators see of their own answers, and of what was decided about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Q

from accounts.texts import read_personal_texts
from annotation.enums import JudgmentKind, ReviewState, Verdict
from annotation.models import Judgment, Respondent, Review, ReviewDecision

PAGE = 25
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


def own_history(respondent: Respondent, number: str) -> tuple[Page[Judgment], list[OwnAnswer]]:
    """A page of this respondent's answers, the newest first: those that stand, and those that were taken out."""
    # Of what was put back only the row that stands now.
    taken_out = Q(
        superseded_by__kind=JudgmentKind.RETRACTION,
        superseded_by__superseded_by__isnull=True,
    )
    answers = Judgment.objects.filter(
        Q(superseded_by__isnull=True) | taken_out, respondent=respondent, kind=JudgmentKind.ANSWER
    ).select_related("item__prompt", "review", "superseded_by", "supersedes__supersedes__review")
    page: Page[Judgment] = Paginator(answers.order_by("-submitted_at", "-pk"), PAGE).get_page(number)
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
