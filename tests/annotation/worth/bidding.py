"""Campaigns with paid amounts and people who go through their sessions, by the real use cases."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from annotation.enums import WorthState
from annotation.models import Campaign, Judgment, Respondent, WorthSession
from annotation.policies.comprehension import cards_of
from annotation.queries.sessions import step_in
from annotation.use_cases.begin_session import begin_session
from annotation.use_cases.next_assignment import Given, next_assignment
from annotation.use_cases.practise import practise
from annotation.use_cases.submit_work import Submitted, submit_work
from annotation.use_cases.take_check import take_check
from tests.annotation.people.working import joined
from tests.factories import make_campaign, make_contestant, make_item, new_key

PREFERENCE = {"name": "preference", "type": "preference", "settings": {"strength": "off"}}
BID = {"name": "worth", "type": "amount", "settings": {"mode": "bdm", "incentive": "paid_delegated"}}
STATED = {"name": "worth", "type": "amount", "required": False}
NOW = timezone.now


def paid_campaign(*, items: int = 3, endowments=("10.00",), **fields: Any) -> Campaign:
    """Running, with so many items that everybody may judge."""
    values = {"currency": "USD", "session_items": items, "screen_out_pay": "1.50", "pay_per_judgment": "0.20"} | fields
    settings = {"endowments": [Decimal(each) for each in endowments], **values}
    campaign = make_campaign(questions=[PREFERENCE, BID])
    Campaign.objects.filter(pk=campaign.pk).update(**settings)
    campaign.refresh_from_db()
    sides = [make_contestant(campaign, f"model {name}") for name in "AB"]
    for number in range(items):
        make_item(campaign, prompt=f"Question {number}?", contestants=sides, slots=200)
    return campaign


def prepared(campaign: Campaign, *, bid: Callable[[Decimal], Decimal] = lambda value: value) -> Respondent:
    """Somebody new, behind check and practice."""
    return made_ready(joined(campaign), campaign, bid=bid)


def made_ready(
    respondent: Respondent, campaign: Campaign, *, bid: Callable[[Decimal], Decimal] = lambda value: value
) -> Respondent:
    """Through check and practice, where amounts are asked. `bid` is what they bid for a card of known worth."""
    session = begin_session(respondent_id=respondent.pk, now=NOW())
    if session is None:
        return respondent
    right = {question.name: question.right for question in step_in(session, campaign).questions}
    take_check(respondent_id=respondent.pk, answers=right, now=NOW())
    for number, card in enumerate(cards_of(session.seed, session.endowment)):
        practise(respondent_id=respondent.pk, number=number, bid=bid(card.value), now=NOW())
    assert WorthSession.objects.get(respondent=respondent).state == WorthState.ITEMS
    return respondent


def answers_for(given: Given, amount: Decimal | str | None, *, prefers: int = 0) -> dict[str, Any]:
    """That the response at position `prefers` is better and worth so much more; None is a tie."""
    if amount is None:
        return {"preference": {"choice": "tie", "strength": None}, "worth": None}
    side = "ab"[given.impression.order.index(prefers)]
    zero = "no_worth" if Decimal(amount) == 0 else None
    return {
        "preference": {"choice": side, "strength": None},
        "worth": {"amount": str(amount), "zero": zero, "keep": str(amount)},
    }


def bids(campaign: Campaign, respondent: Respondent, amount: Decimal | str | None, **values: Any) -> Submitted:
    """The next item, answered."""
    given = next_assignment(campaign=campaign, respondent=respondent, now=NOW())
    return submitted(given, respondent, answers_for(given, amount, **values))


def submitted(given: Given, respondent: Respondent, answers: dict[str, Any]) -> Submitted:
    return submit_work(
        assignment_id=given.assignment.pk,
        lease_token=given.assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers=answers,
        now=NOW(),
    )


def standing(respondent: Respondent) -> list[Judgment]:
    return list(Judgment.objects.filter(respondent=respondent, superseded_by__isnull=True).order_by("pk"))
