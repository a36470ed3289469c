"""Annotators' questions about guidelines: for who asked, for who answers, and as everybody reads them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from accounts.texts import read_personal_texts
from annotation.models import Campaign, GuidelineQuestion, Respondent

MOST_OWN = 100
MOST_NEWS = 20


@dataclass(frozen=True)
class Asked:
    """A question with its asker's words; None where they were erased."""

    question: GuidelineQuestion
    words: str | None


def open_questions(campaign: Campaign) -> int:
    return GuidelineQuestion.objects.filter(campaign=campaign, answered_at__isnull=True).count()


def campaign_questions(campaign: Campaign) -> QuerySet[GuidelineQuestion]:
    """Those that wait first, the oldest of them before the others; then the newest answers."""
    related = GuidelineQuestion.objects.filter(campaign=campaign).select_related(
        "respondent", "answered_by__user", "published_in"
    )
    return related.order_by(F("answered_at").desc(nulls_first=True), "pk")


def own_questions(respondent: Respondent) -> list[Asked]:
    """The newest."""
    asked = GuidelineQuestion.objects.filter(respondent=respondent).select_related("published_in").order_by("-pk")
    return with_words(asked[:MOST_OWN])


def with_words(questions: Iterable[GuidelineQuestion]) -> list[Asked]:
    """In one query, however many there are."""
    listed = list(questions)
    words = read_personal_texts(each.personal_text_id for each in listed)
    return [Asked(each, words[each.personal_text_id]) for each in listed]


def published_answers(campaign: Campaign, *, also: GuidelineQuestion | None = None) -> list[tuple[str, str]]:
    """Questions as published, with their answers, in the order in which they were asked."""
    published = Q(published_in__isnull=False) | Q(pk=also.pk if also else None)
    found = GuidelineQuestion.objects.filter(published, campaign=campaign).order_by("pk")
    return [(each.published_question, each.answer) for each in found]


def news_for(respondent: Respondent) -> list[GuidelineQuestion]:
    """Answers published since this person last said that they read the guidelines. No statement where there are none.

    Needs the respondent's campaign.
    """
    campaign = respondent.campaign
    if campaign.guidelines_id is None or (respondent.guidelines_id or 0) >= campaign.guidelines_id:
        return []
    if campaign.guidelines_versions.filter(pk__gt=respondent.guidelines_id or 0, answers_only=False).exists():
        return []  # those have to be read as a whole
    since = GuidelineQuestion.objects.filter(campaign=campaign, published_in__gt=respondent.guidelines_id or 0)
    return list(since.order_by("-published_in")[:MOST_NEWS])
