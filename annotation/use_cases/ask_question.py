from datetime import datetime

from django.db import transaction

from accounts.texts import write_personal_text
from annotation.enums import CampaignState, RespondentState
from annotation.errors import AnnotationError
from annotation.models import Assignment, GuidelineQuestion, Respondent
from annotation.use_cases.record_event import record_event

MOST_OPEN = 20


class NotAsked(AnnotationError):
    """Nobody would answer: the campaign is closed, this person's work has ended, or too many of theirs wait."""


def ask_question(
    *, respondent_id: int, words: str, now: datetime, assignment_id: int | None = None
) -> GuidelineQuestion:
    """Ask those who run the campaign, in words that are sealed under the asker's key; about an item of theirs or not.

    An assignment that is not theirs is left out. Raises NotAsked.
    """
    with transaction.atomic():
        related = Respondent.objects.select_related("person", "campaign")
        respondent = related.select_for_update(of=["self"]).get(pk=respondent_id)
        waiting = GuidelineQuestion.objects.filter(respondent=respondent, answered_at__isnull=True).count()
        gone = respondent.person is None or respondent.state == RespondentState.WITHDRAWN
        if gone or respondent.campaign.state == CampaignState.CLOSED or waiting >= MOST_OPEN:
            raise NotAsked(f"{waiting} questions of this person wait, the campaign is {respondent.campaign.state}")
        assert respondent.person is not None
        about = Assignment.objects.filter(pk=assignment_id or 0, respondent=respondent).first()
        question = GuidelineQuestion.objects.create(
            campaign=respondent.campaign,
            respondent=respondent,
            item_id=about.item_id if about else None,
            personal_text=write_personal_text(person=respondent.person, text=words.strip()),
        )
        record_event(subject=question, verb="asked", actor=respondent.person)
    return question
