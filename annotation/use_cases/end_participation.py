from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import AssignmentState, Participation
from annotation.errors import AnnotationError
from annotation.models import Assignment, Respondent, StudyParticipant
from annotation.policies.stages import Stage
from annotation.queries.studies import ENDED
from annotation.queries.work import position_of
from annotation.transitions import PARTICIPATION
from annotation.use_cases.next_assignment import NotNow, NoWork, next_assignment
from annotation.use_cases.record_event import record_event
from foundation.transitions import check


class StillAtWork(AnnotationError):
    """There is more for this person to do, or nothing that they have come to an end of."""


class _Given(Exception):
    """Takes back the claim with which it was found out that there is one."""


def end_participation(*, respondent: Respondent, now: datetime) -> StudyParticipant:
    """How somebody whom a study sent leaves it: with everything done, screened out, or come when nothing was left.

    Whoever was blocked or has withdrawn leaves as if screened out: they know nobody here, and their session has to end
    somehow; what is owed to them stays owed. Again says the same. Raises StillAtWork.
    """
    with transaction.atomic():
        locked = StudyParticipant.objects.select_for_update(of=["self"]).select_related("study")
        participant = locked.get(respondent=respondent)
        wanted = _end_of(respondent, now)
        if wanted is None and participant.state == Participation.STARTED:
            raise StillAtWork("there is more to do")
        if wanted is None or participant.state != Participation.STARTED:
            return participant
        check(PARTICIPATION, participant.state, wanted)
        participant.state, participant.ended_at = wanted, now
        participant.save(update_fields=["state", "ended_at"])
        record_event(
            subject=participant,
            verb="left",
            actor=respondent.person,
            from_state=Participation.STARTED,
            to_state=wanted,
        )
    return participant


def reopen_participation(*, respondent_id: int, actor: Person | None) -> StudyParticipant | None:
    """What somebody who may work again had left as if screened out goes on, in the caller's transaction.

    Call it before the respondent's row is held, as whoever leaves holds the two in this order. None for everybody else.
    """
    held = StudyParticipant.objects.select_for_update(of=["self"]).filter(respondent=respondent_id).first()
    if held is None or held.state != Participation.SCREENED_OUT:
        return None
    check(PARTICIPATION, held.state, Participation.STARTED)
    held.state, held.ended_at = Participation.STARTED, None
    held.save(update_fields=["state", "ended_at"])
    record_event(
        subject=held,
        verb="reopened",
        actor=actor,
        from_state=Participation.SCREENED_OUT,
        to_state=Participation.STARTED,
    )
    return held


def code_of(participant: StudyParticipant) -> str:
    """The code with which they go back; empty while they are at work."""
    return {
        Participation.COMPLETED.value: participant.study.completion_code,
        Participation.SCREENED_OUT.value: participant.study.screen_out_code,
        Participation.OVER_QUOTA.value: participant.study.over_quota_code,
    }.get(participant.state, "")


def _end_of(respondent: Respondent, now: datetime) -> Participation | None:
    if Respondent.objects.get(pk=respondent.pk).state in ENDED:
        return Participation.SCREENED_OUT
    if not _has_nothing_left(respondent, now):
        return None
    given = Assignment.objects.filter(respondent=respondent, state=AssignmentState.SUBMITTED).exists()
    return Participation.COMPLETED if given else Participation.OVER_QUOTA


def _has_nothing_left(respondent: Respondent, now: datetime) -> bool:
    try:
        with transaction.atomic():
            next_assignment(campaign=respondent.campaign, respondent=respondent, now=now)
            raise _Given
    except _Given:
        return False
    except NotNow:
        return position_of(respondent).stage in (Stage.CLOSED, Stage.DRAWN)
    except NoWork:
        return True
