"""What annotators see of their own answers, and of what was decided about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Q

from accounts.texts import read_personal_texts
from annotation.enums import JudgmentKind, ReviewState, Verdict
from annotation.models import Judgment, Respondent, ReviewDecision

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
    """A page of this respondent's answers, the newest first: those that stand, and those a review took out."""
    # Of what was put back only the row that stands now.
    taken_out = Q(
        review__isnull=False,
        superseded_by__kind=JudgmentKind.RETRACTION,
        superseded_by__superseded_by__isnull=True,
    )
    answers = Judgment.objects.filter(
        Q(superseded_by__isnull=True) | taken_out, respondent=respondent, kind=JudgmentKind.ANSWER
    ).select_related("item__prompt", "review", "superseded_by")
    page: Page[Judgment] = Paginator(answers.order_by("-submitted_at", "-pk"), PAGE).get_page(number)
    return page, _with_decisions(list(page))


def _with_decisions(judgments: Sequence[Judgment]) -> list[OwnAnswer]:
    """In two queries, however many they are."""
    reviews = [judgment.review.pk for judgment in judgments if hasattr(judgment, "review")]
    decisions = list(ReviewDecision.objects.filter(review__in=reviews, personal_text__isnull=False).order_by("pk"))
    texts = read_personal_texts(each.personal_text_id for each in decisions if each.personal_text_id)
    by_review: dict[int, list[tuple[str, str]]] = {}
    for each in decisions:
        by_review.setdefault(each.review_id, []).append((each.verdict, texts[each.personal_text_id or 0] or ""))
    return [_own(judgment, by_review) for judgment in judgments]


def _own(judgment: Judgment, by_review: dict[int, list[tuple[str, str]]]) -> OwnAnswer:
    stands = not hasattr(judgment, "superseded_by")
    review = getattr(judgment, "review", None)
    if review is None:
        return OwnAnswer(judgment, "", stands, ())
    said = by_review.get(review.pk, [])
    appeal = next((text for verdict, text in said if verdict == Verdict.APPEAL), "")
    state = review.state if review.state in TOLD or not stands else ""
    words = [text for verdict, text in said if verdict != Verdict.APPEAL and text] if state in TOLD else []
    may_appeal = review.state == ReviewState.REJECTED and not any(verdict == Verdict.APPEAL for verdict, _ in said)
    return OwnAnswer(judgment, state, stands, words, appeal, may_appeal)
