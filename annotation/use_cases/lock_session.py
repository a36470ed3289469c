from datetime import datetime

from django.db import transaction

from annotation.enums import Incentive, WorthState
from annotation.errors import AnnotationError
from annotation.models import Respondent, WorthSession
from annotation.queries.sessions import candidates_of
from annotation.transitions import WORTH
from annotation.use_cases.record_event import record_event
from foundation.transitions import check

FINAL = frozenset({WorthState.LOCKED, WorthState.DRAWN})


class AnswersLocked(AnnotationError):
    """The session's answers are locked for its draw, or were drawn: nothing of them is changed any more."""


class NothingToDraw(AnnotationError):
    """No answer of this session is in a draw."""


def refuse_if_locked(respondent: Respondent) -> None:
    """Called with the respondent's row held, so that a lock comes before an answer or after it."""
    if is_locked(respondent):
        raise AnswersLocked("the answers of this session are locked")


def is_locked(respondent: Respondent) -> bool:
    return WorthSession.objects.filter(respondent=respondent, state__in=FINAL).exists()


def lock_session(*, respondent_id: int, now: datetime) -> WorthSession:
    """The respondent says that they are done: from now on no answer of theirs is changed or added.

    A session that is locked stays as it is. Raises NothingToDraw where there is no paid session with an answer.
    """
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        session = WorthSession.objects.filter(respondent=respondent).exclude(incentive=Incentive.STATED).first()
        if session is None or not candidates_of(respondent_id).exists():
            raise NothingToDraw("this person has no paid session with an answer")
        if session.state in FINAL:
            return session
        return _lock(session, now, by_hand=True)


def lock_when_full(respondent: Respondent, *, session_items: int | None, now: datetime) -> bool:
    """Whether the answer just given was the session's last; called in its transaction, the respondent's row held."""
    if not session_items:
        return False
    session = WorthSession.objects.filter(respondent=respondent, state=WorthState.ITEMS).first()
    if session is None or session.incentive == Incentive.STATED:
        return False
    if candidates_of(respondent.pk).count() < session_items:
        return False
    _lock(session, now, by_hand=False)
    return True


def _lock(session: WorthSession, now: datetime, *, by_hand: bool) -> WorthSession:
    check(WORTH, session.state, WorthState.LOCKED)
    before, session.state, session.locked_at = session.state, WorthState.LOCKED, now
    session.save(update_fields=["state", "locked_at"])
    record_event(
        subject=session,
        verb="locked",
        actor=None,
        from_state=before,
        to_state=session.state,
        data={"by_hand": by_hand, "answers": candidates_of(session.respondent_id).count()},
    )
    return session
