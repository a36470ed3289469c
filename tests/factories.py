"""Rows for tests, made by the real use cases wherever there is one. Arguments say only what a test cares about."""

import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Person, RoleGrant, User
from accounts.use_cases.create_person import person_of_visitor
from annotation.enums import CampaignState, ContestantKind, Design, ItemState, RespondentKind, SourceKind, TurnKind
from annotation.models import Assignment, Campaign, Contestant, Impression, Item, Respondent, Response, Turn
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.claim_slot import claim_slot
from annotation.use_cases.create_campaign import create_campaign
from annotation.use_cases.create_prompt import create_prompt
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.open_slots import open_slots
from annotation.use_cases.publish_instrument import publish_instrument
from annotation.use_cases.show_item import show_item

numbers = itertools.count(1)

PREFERENCE = {"name": "preference", "type": "preference", "settings": {"strength": "optional"}}
ACCEPTABLE = {"name": "acceptable", "type": "acceptable", "required": False, "settings": {"mode": "neither"}}
AMOUNT = {"name": "worth", "type": "amount", "required": False}
RATIONALE = {"name": "why", "type": "rationale", "required": False}
QUESTIONS = (PREFERENCE, ACCEPTABLE, AMOUNT)


def make_user(*, role: str | None = None, **fields: Any) -> User:
    number = next(numbers)
    values = {"username": f"user{number}", "email": f"user{number}@example.org", "password": "pass-word-42"} | fields
    user = User.objects.create_user(**values)
    if role:
        RoleGrant.objects.create(user=user, role=role)
    return user


def make_person() -> Person:
    return person_of_visitor(token=f"visitor-token-{next(numbers):08}", now=timezone.now())


def make_campaign(*, questions: Sequence[dict[str, Any]] = QUESTIONS, running: bool = True, **fields: Any) -> Campaign:
    number = next(numbers)
    values = {"slug": f"campaign-{number}", "name": f"Campaign {number}"} | fields
    campaign = create_campaign(now=timezone.now(), **values)
    publish_instrument(campaign_id=campaign.pk, questions=questions, now=timezone.now())
    if running:
        change_campaign_state(
            campaign_id=campaign.pk, to=CampaignState.RUNNING, actor=None, reason="test", now=timezone.now()
        )
    campaign.refresh_from_db()
    return campaign


def make_contestant(campaign: Campaign, name: str | None = None) -> Contestant:
    return Contestant.objects.create(
        kind=ContestantKind.IMPORTED, campaign=campaign, name=name or f"contestant {next(numbers)}"
    )


def make_item(
    campaign: Campaign,
    *,
    contestants: Sequence[Contestant] | None = None,
    texts: Sequence[str] = ("First.", "Second."),
    prompt: str = "What is it?",
    slots: int = 1,
    **fields: Any,
) -> Item:
    """An open item with one text turn for each contestant and as many slots as wanted."""
    contestants = contestants or [make_contestant(campaign) for _ in texts]
    values = {
        "source": campaign.sources.get(kind=SourceKind.LIVE),
        "prompt": create_prompt(messages=[{"role": "user", "content": prompt}], person=None),
        "state": ItemState.OPEN,
    } | fields
    item = Item.objects.create(campaign=campaign, **values)
    for position, (contestant, text) in enumerate(zip(contestants, texts, strict=True)):
        response = Response.objects.create(item=item, position=position, contestant=contestant)
        Turn.objects.create(response=response, kind=TurnKind.TEXT, text=text)
    open_slots(items=[item.pk], count=slots)
    return item


def make_respondent(campaign: Campaign, *, kind: str = RespondentKind.ANNOTATOR) -> Respondent:
    return enrol_respondent(campaign=campaign, person=make_person(), kind=kind, now=timezone.now())


def claim_and_show(campaign: Campaign, respondent: Respondent, *, seed: int = 1) -> tuple[Assignment, Impression]:
    claim = claim_slot(campaign=campaign, respondent=respondent, now=timezone.now())
    assert claim is not None
    assignment = claim.assignment
    impression = show_item(
        campaign=campaign,
        instrument=campaign.instrument,
        item_id=assignment.item_id,
        responses=assignment.item.responses.count(),
        respondent=respondent,
        assignment=assignment,
        prompt_design=Design.ASSIGNED,
        seed=seed,
    )
    return assignment, impression


def new_key() -> str:
    return uuid.uuid4().hex


def later(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)
