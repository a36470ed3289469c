from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from annotation.enums import CampaignState, JudgmentKind, RespondentState
from annotation.models import Judgment, Respondent
from annotation.policies.arms import price_direction
from annotation.queries import own_median_amount, texts_if_read
from annotation.queries.sessions import money_of
from annotation.questions import Situation, read_answers
from annotation.use_cases.lock_session import refuse_if_locked
from annotation.use_cases.save_draft import keep_typed
from annotation.use_cases.submit_judgment import CampaignClosed, NotYourAssignment, asked_in, seal_texts
from annotation.use_cases.submit_work import NotActive
from annotation.use_cases.supersede_judgment import AlreadySuperseded, supersede
from foundation.idempotency import body_hash, once


def correct_judgment(
    *,
    judgment_id: int,
    key: str,
    respondent: Respondent,
    answers: Mapping[str, Any],
    now: datetime,
    typed: Mapping[str, str] | None = None,
) -> Judgment:
    """Write the row that stands in place of the respondent's own earlier answer; both stay in the log.

    `typed` is what the form held. Refuses NotYourAssignment, NotActive, AlreadySuperseded, AnswersLocked,
    CampaignClosed and InvalidAnswers.
    """
    body = body_hash({"judgment": judgment_id, "answers": dict(answers)})
    with (
        transaction.atomic(),
        once(key=key, scope=f"judgment:{respondent.pk}", body_hash=body, now=now) as attempt,
    ):
        if attempt.replayed:
            return Judgment.objects.get(pk=attempt.response["judgment"])
        # Whoever blocks this person waits here, or this correction waits for them and comes too late.
        locked = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent.pk)
        if locked.state != RespondentState.ACTIVE:
            raise NotActive(f"the respondent is {locked.state}")
        refuse_if_locked(respondent)
        corrected = _correct(judgment_id, respondent, answers, now)
        if typed is not None and corrected.assignment_id is not None:
            keep_typed(assignment_id=corrected.assignment_id, respondent=respondent, values=typed, now=now)
        attempt.response = {"judgment": corrected.pk}
    return corrected


def _correct(judgment_id: int, respondent: Respondent, answers: Mapping[str, Any], now: datetime) -> Judgment:
    judgment = (
        Judgment.objects.select_related("campaign", "impression")
        .filter(pk=judgment_id, respondent=respondent, kind=JudgmentKind.ANSWER)
        .first()
    )
    if judgment is None:
        raise NotYourAssignment("no such judgment of this respondent")
    if judgment.campaign.state not in {CampaignState.RUNNING, CampaignState.PILOT}:
        raise CampaignClosed(f"the campaign is {judgment.campaign.state}")
    asked = asked_in(judgment.impression)
    situation = Situation(
        responses=len(judgment.order),
        currency=judgment.campaign.currency,
        own_median_amount=own_median_amount(respondent.pk),
        texts=texts_if_read(asked, judgment.item_id, judgment.order),
        price_direction=price_direction(respondent.pk),
        **money_of(respondent.pk),
    )
    reading = read_answers(asked, answers, situation)
    try:
        corrected = supersede(judgment, answers=reading.answers, submitted_at=now, **reading.columns)
    except IntegrityError as error:
        raise AlreadySuperseded(f"judgment {judgment_id} was superseded") from error
    seal_texts(corrected, respondent, reading)
    return corrected
