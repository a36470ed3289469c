"""A session in which amounts are paid, by its use cases: what is asked first, what is locked, what is owed."""

from decimal import Decimal
from hashlib import sha256

import pytest

from annotation.enums import EntryKind, RespondentState, WorthState
from annotation.models import Assignment, Draw, LedgerEntry, Respondent, WorthSession
from annotation.policies.comprehension import cards_of, deviation_of
from annotation.queries.sessions import receipt_of, step_in
from annotation.queries.work import position_of
from annotation.use_cases import submit_judgment
from annotation.use_cases.begin_session import NoMoneyLeft, begin_session
from annotation.use_cases.correct_judgment import correct_judgment
from annotation.use_cases.hold_draw import NotLocked, hold_draw
from annotation.use_cases.lock_session import AnswersLocked, NothingToDraw, lock_session
from annotation.use_cases.next_assignment import NothingLeft, NotNow, next_assignment
from annotation.use_cases.practise import BeyondEndowment, practise
from annotation.use_cases.take_check import NotAtThisStep, take_check
from tests.annotation.people.working import joined
from tests.annotation.worth.bidding import (
    NOW,
    PREFERENCE,
    STATED,
    answers_for,
    bids,
    paid_campaign,
    prepared,
    standing,
    submitted,
)
from tests.factories import make_campaign, make_item, new_key

pytestmark = pytest.mark.django_db


def begun(campaign) -> tuple[Respondent, WorthSession]:
    respondent = joined(campaign)
    return respondent, begin_session(respondent_id=respondent.pk, now=NOW())


def answered_check(respondent: Respondent, *, right: bool):
    session = WorthSession.objects.get(respondent=respondent)
    questions = step_in(session, respondent.campaign).questions
    chosen = {
        question.name: question.right
        if right
        else next(value for value, _words in question.choices if value != question.right)
        for question in questions
    }
    return take_check(respondent_id=respondent.pk, answers=chosen, now=NOW())


def test_the_seed_is_fixed_once_and_only_its_digest_is_told():
    campaign = paid_campaign(endowments=("5.00", "20.00"))
    respondent, session = begun(campaign)
    assert session.commitment == sha256(session.seed.encode()).hexdigest()
    assert begin_session(respondent_id=respondent.pk, now=NOW()).seed == session.seed
    assert session.endowment in (Decimal("5.00"), Decimal("20.00"))
    arms = {begun(campaign)[1].endowment for _ in range(20)}
    assert arms == {Decimal("5.00"), Decimal("20.00")}


def test_items_come_after_the_check_and_the_practice():
    campaign = paid_campaign()
    respondent, session = begun(campaign)
    with pytest.raises(NotNow, match="check"):
        next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    assert not answered_check(respondent, right=True).wrong
    with pytest.raises(NotNow, match="practice"):
        next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    for number, card in enumerate(cards_of(session.seed, session.endowment)):
        practise(respondent_id=respondent.pk, number=number, bid=card.value / 2, now=NOW())
    session.refresh_from_db()
    assert (session.state, session.deviation) == (WorthState.ITEMS, -0.5)
    assert next_assignment(campaign=campaign, respondent=respondent, now=NOW()).assignment.pk


def test_failing_the_check_twice_is_paid_and_ends_the_session():
    campaign = paid_campaign()
    respondent, session = begun(campaign)
    first = answered_check(respondent, right=False)
    assert (len(first.wrong), first.ended) == (3, False)
    assert all(question.why for question in first.wrong)
    assert answered_check(respondent, right=False).ended
    session.refresh_from_db()
    respondent.refresh_from_db()
    assert (session.state, respondent.state) == (WorthState.ENDED, RespondentState.SCREENED_OUT)
    entry = LedgerEntry.objects.get(respondent=respondent)
    assert (entry.kind, entry.amount) == (EntryKind.SCREEN_OUT, Decimal("1.50"))


def test_right_at_the_second_attempt_goes_on():
    respondent, session = begun(paid_campaign())
    answered_check(respondent, right=False)
    assert not answered_check(respondent, right=True).wrong
    session.refresh_from_db()
    assert (session.state, session.attempts) == (WorthState.PRACTICE, 2)
    with pytest.raises(NotAtThisStep):
        answered_check(respondent, right=True)


def test_where_amounts_are_only_stated_nobody_is_turned_away():
    campaign = make_campaign(questions=[PREFERENCE, STATED])
    make_item(campaign)
    respondent, session = begun(campaign)
    assert (session.endowment, session.incentive) == (None, "stated")
    answered_check(respondent, right=False)
    assert not answered_check(respondent, right=False).ended
    practise(respondent_id=respondent.pk, number=0, bid=Decimal("5.00"), now=NOW())
    session.refresh_from_db()
    assert (session.state, session.attempts, session.deviation) == (WorthState.ITEMS, 2, 0.25)
    assert bids(campaign, respondent, "3.00").finished == ""
    with pytest.raises(NothingToDraw):
        lock_session(respondent_id=respondent.pk, now=NOW())


def test_a_practice_card_is_answered_once_and_from_what_is_there():
    respondent, _session = begun(paid_campaign())
    answered_check(respondent, right=True)
    with pytest.raises(BeyondEndowment):
        practise(respondent_id=respondent.pk, number=0, bid=Decimal("10.01"), now=NOW())
    practised = practise(respondent_id=respondent.pk, number=0, bid=Decimal("10.00"), now=NOW())
    assert (practised.bought, practised.is_last) == (True, False)
    assert practised.earned == Decimal("10.00") - practised.card.price + practised.card.value
    with pytest.raises(NotAtThisStep):
        practise(respondent_id=respondent.pk, number=0, bid=Decimal("1.00"), now=NOW())
    assert deviation_of([{"value": "4.00", "bid": "2.00"}, {"value": "7.00", "bid": "7.00"}]) == -0.25


def test_the_last_item_locks_and_nothing_is_changed_or_added_after_it():
    campaign = paid_campaign(items=2)
    respondent = prepared(campaign)
    first = bids(campaign, respondent, "4.00").judgment
    held = next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    with pytest.raises(NothingLeft):
        next_assignment(campaign=campaign, respondent=respondent, now=NOW(), ahead=True)
    assert submitted(held, respondent, answers_for(held, "6.00")).finished == "locked"
    before = [(judgment.pk, judgment.amount_low) for judgment in standing(respondent)]
    with pytest.raises(AnswersLocked):
        correct_judgment(
            judgment_id=first.pk, key=new_key(), respondent=respondent, answers=answers_for(held, "9.00"), now=NOW()
        )
    hold_draw(respondent_id=respondent.pk, now=NOW())
    with pytest.raises(AnswersLocked):
        correct_judgment(
            judgment_id=first.pk, key=new_key(), respondent=respondent, answers=answers_for(held, "9.00"), now=NOW()
        )
    assert [(judgment.pk, judgment.amount_low) for judgment in standing(respondent)] == before
    assert position_of(respondent).stage == "drawn"


def test_before_the_lock_an_answer_can_be_corrected_and_the_draw_reads_the_correction():
    campaign = paid_campaign(items=1, session_items=2)
    respondent = prepared(campaign)
    given = next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    first = submitted(given, respondent, answers_for(given, "4.00")).judgment
    corrected = correct_judgment(
        judgment_id=first.pk, key=new_key(), respondent=respondent, answers=answers_for(given, "5.00"), now=NOW()
    )
    with pytest.raises(NotLocked):
        hold_draw(respondent_id=respondent.pk, now=NOW())
    lock_session(respondent_id=respondent.pk, now=NOW())
    draw = hold_draw(respondent_id=respondent.pk, now=NOW())
    assert (draw.candidates, draw.judgment, draw.amount) == ([corrected.pk], corrected, Decimal("5.00"))


def test_an_answer_in_flight_when_another_tab_locks_is_refused():
    campaign = paid_campaign(items=3, session_items=3)
    respondent = prepared(campaign)
    bids(campaign, respondent, "4.00")
    held = next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    lock_session(respondent_id=respondent.pk, now=NOW())
    with pytest.raises(AnswersLocked):
        submitted(held, respondent, answers_for(held, "6.00"))
    assert Assignment.objects.get(pk=held.assignment.pk).state == "open"
    assert len(standing(respondent)) == 1


def test_without_the_guard_the_same_answer_comes_into_a_locked_session(monkeypatch):
    """The control: what refuses is the state of the session, read with the assignment."""
    campaign = paid_campaign(items=3, session_items=3)
    respondent = prepared(campaign)
    bids(campaign, respondent, "4.00")
    held = next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    lock_session(respondent_id=respondent.pk, now=NOW())
    monkeypatch.setattr(submit_judgment, "FINAL", frozenset())
    submitted(held, respondent, answers_for(held, "6.00"))
    assert len(standing(respondent)) == 2


def test_a_draw_is_held_once_owed_once_and_computed_anew_from_its_receipt():
    campaign = paid_campaign(items=3)
    respondent = prepared(campaign)
    for amount in ("4.00", None, "0"):
        bids(campaign, respondent, amount)
    draw = hold_draw(respondent_id=respondent.pk, now=NOW())
    assert hold_draw(respondent_id=respondent.pk, now=NOW()).pk == draw.pk
    assert draw.payout == (draw.endowment - draw.price if draw.bought else draw.endowment)
    entry = LedgerEntry.objects.get(draw=draw)
    assert (entry.kind, entry.amount, entry.currency) == (EntryKind.DRAW, draw.payout, "USD")
    receipt = receipt_of(Draw.objects.get(pk=draw.pk))
    assert receipt.checks == dict.fromkeys(("commitment", "answer", "amount", "price", "payout"), True)


@pytest.mark.parametrize(
    ("member", "value"), [("seed", "0" * 64), ("price", Decimal("0.01")), ("payout", Decimal("99")), ("amount", None)]
)
def test_a_receipt_that_was_tampered_with_does_not_hold(member, value):
    campaign = paid_campaign(items=1)
    respondent = prepared(campaign)
    bids(campaign, respondent, "4.00")
    draw = hold_draw(respondent_id=respondent.pk, now=NOW())
    setattr(draw, member, value)
    assert not receipt_of(draw).holds


def test_sessions_begin_only_as_long_as_the_money_covers_the_most_that_they_can_come_to():
    # 10.00 and three items at 0.20: two sessions of 10.60 fit into 21.50, a third does not.
    campaign = paid_campaign(items=3, budget_money=Decimal("21.50"))
    begun(campaign)
    begun(campaign)
    late = joined(campaign)
    with pytest.raises(NoMoneyLeft):
        begin_session(respondent_id=late.pk, now=NOW())
    assert not WorthSession.objects.filter(respondent=late).exists()
