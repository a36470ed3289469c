import secrets
from datetime import datetime

from django.db import transaction

from annotation.enums import EntryKind, WorthState
from annotation.models import Draw, Respondent, WorthSession
from annotation.policies.draws import drawn_index, outcome_of
from annotation.queries.sessions import candidates_of, named_amount
from annotation.transitions import WORTH
from annotation.use_cases.lock_session import NothingToDraw
from annotation.use_cases.record_entry import record_entry
from annotation.use_cases.record_event import record_event
from foundation.transitions import check


class NotLocked(NothingToDraw):
    """The answers can still be changed; they are locked before a draw."""


def hold_draw(*, respondent_id: int, now: datetime) -> Draw:
    """What the seed, fixed when the session began, makes of the locked answers; owed from this moment on.

    The same draw however often it is asked for. Raises NotLocked and NothingToDraw.
    """
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        session = WorthSession.objects.filter(respondent=respondent).first()
        if session is None or session.endowment is None:
            raise NothingToDraw("this person has no paid session")
        if session.state == WorthState.DRAWN:
            return Draw.objects.get(session=session)
        if session.state != WorthState.LOCKED:
            raise NotLocked(f"the session is at {session.state}")
        draw = _draw(session, now)
        check(WORTH, session.state, WorthState.DRAWN)
        session.state = WorthState.DRAWN
        session.save(update_fields=["state"])
        record_entry(
            respondent=respondent,
            kind=EntryKind.DRAW,
            amount=draw.payout,
            currency=draw.currency,
            reason=f"draw of item {draw.item_id}",
            draw=draw,
            now=now,
        )
        data = {"draw": draw.pk, "price": str(draw.price), "bought": draw.bought, "payout": str(draw.payout)}
        record_event(subject=session, verb="drawn", actor=respondent.person, data=data)
    return draw


def _draw(session: WorthSession, now: datetime) -> Draw:
    answers = list(candidates_of(session.respondent_id))
    if not answers or session.endowment is None:
        raise NothingToDraw("no answer of this session stands")
    drawn = answers[drawn_index(session.seed, len(answers))]
    amount = named_amount(drawn)
    outcome = outcome_of(session.seed, answers=len(answers), amount=amount, endowment=session.endowment)
    return Draw.objects.create(
        session=session,
        item_id=drawn.item_id,
        judgment=drawn,
        candidates=[answer.pk for answer in answers],
        amount=amount,
        price=outcome.price,
        bought=outcome.bought,
        endowment=session.endowment,
        payout=outcome.payout,
        currency=session.currency,
        seed=session.seed,
        commitment=session.commitment,
        token=secrets.token_urlsafe(32),
        created_at=now,
    )
