from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Campaign, GuidelineQuestion
from annotation.policies.answers import with_answers
from annotation.policies.drafts import GUIDELINES, refuse_if_closed, section_content
from annotation.queries.asked import published_answers
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.record_event import record_event
from foundation.text import clean_text


class NothingPublished(AnnotationError):
    """The campaign is a draft: it has no guidelines yet that an answer could be added to."""


def answer_question(
    *, question_id: int, wording: str, answer: str, publish: bool, actor: Person | None, now: datetime
) -> GuidelineQuestion:
    """Answer a question, or answer it better. The asker reads it; with `publish` everybody does, worded as `wording`.

    A published answer makes the next version of the guidelines, which stops nobody's work, and stays published.
    Raises CampaignIsClosed and NothingPublished.
    """
    with transaction.atomic():
        asked = GuidelineQuestion.objects.get(pk=question_id)
        # Whoever publishes guidelines holds the campaign; the order of versions is that of answers.
        campaign = Campaign.objects.select_for_update().get(pk=asked.campaign_id)
        question = GuidelineQuestion.objects.select_for_update(of=["self"]).get(pk=question_id)
        refuse_if_closed(campaign)
        publish = publish or question.published_in_id is not None
        if publish and campaign.state == CampaignState.DRAFT:
            raise NothingPublished(f"{campaign.slug} is a draft")
        question.published_question, question.answer = clean_text(wording).strip(), clean_text(answer).strip()
        question.answered_by, question.answered_at = actor, now
        question.save(update_fields=["published_question", "answer", "answered_by", "answered_at"])
        if publish:
            _publish(campaign, question, actor, now)
        record_event(subject=question, verb="answered", actor=actor, data={"published": publish})
    return question


def _publish(campaign: Campaign, question: GuidelineQuestion, actor: Person | None, now: datetime) -> None:
    own_text = section_content(campaign, GUIDELINES)
    if GUIDELINES not in campaign.draft:
        # From now on what was written and what was answered are told apart.
        campaign.draft = {**campaign.draft, GUIDELINES: own_text}
        campaign.save(update_fields=["draft"])
    answers = published_answers(campaign, also=question)
    version = publish_guidelines(
        campaign_id=campaign.pk, text=with_answers(own_text, answers), actor=actor, now=now, answers_only=True
    )
    question.published_in = version
    question.save(update_fields=["published_in"])
