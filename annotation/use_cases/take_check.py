from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from annotation.enums import Incentive, RespondentState, WorthState
from annotation.errors import AnnotationError
from annotation.models import Respondent, WorthSession
from annotation.policies.comprehension import ATTEMPTS, CheckQuestion, wrong_answers
from annotation.queries.sessions import step_in
from annotation.transitions import WORTH
from annotation.use_cases.record_event import record_event
from annotation.use_cases.submit_work import NotActive, screen_out
from foundation.transitions import check


class NotAtThisStep(AnnotationError):
    """The session is somewhere else, perhaps moved on by another tab."""


@dataclass(frozen=True)
class Checked:
    """`wrong` are the questions with another answer than the right one; `ended` says that this was the last attempt."""

    wrong: list[CheckQuestion] = field(default_factory=list)
    ended: bool = False


def take_check(*, respondent_id: int, answers: Mapping[str, str], now: datetime) -> Checked:
    """One attempt at the comprehension check. All right leads to practice.

    Wrong a second time ends a paid session: whoever would be paid by a mechanism they take for another is paid for
    coming and leaves. Where amounts are only stated, the explanation has been read and work goes on.
    Raises NotAtThisStep and NotActive.
    """
    with transaction.atomic():
        respondent, session = held_session(respondent_id, WorthState.CHECK)
        questions = step_in(session, respondent.campaign).questions
        wrong = wrong_answers(questions, answers)
        session.attempts += 1
        is_last = session.attempts >= ATTEMPTS
        if wrong and not is_last:
            session.save(update_fields=["attempts"])
        else:
            fails = bool(wrong) and session.incentive != Incentive.STATED
            _move_on(session, respondent, WorthState.ENDED if fails else WorthState.PRACTICE, now)
        data = {"attempt": session.attempts, "wrong": [question.name for question in wrong]}
        record_event(subject=session, verb="checked", actor=respondent.person, data=data)
    return Checked(wrong, ended=session.state == WorthState.ENDED)


def held_session(respondent_id: int, state: WorthState) -> tuple[Respondent, WorthSession]:
    """The respondent's row, held, and their session, which must be at this step. Raises NotAtThisStep, NotActive."""
    respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
    if respondent.state != RespondentState.ACTIVE:
        raise NotActive(f"the respondent is {respondent.state}")
    session = WorthSession.objects.filter(respondent=respondent, state=state).first()
    if session is None:
        raise NotAtThisStep(f"no session of this person is at {state}")
    return respondent, session


def _move_on(session: WorthSession, respondent: Respondent, to: WorthState, now: datetime) -> None:
    check(WORTH, session.state, to)
    session.state = to
    session.save(update_fields=["state", "attempts"])
    if to == WorthState.ENDED:
        screen_out(respondent, f"{ATTEMPTS} attempts at the comprehension check")
