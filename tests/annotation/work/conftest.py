"""Somebody with an item before them in a real browser."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from tests.annotation.worth.bidding import made_ready
from tests.factories import AMOUNT, PREFERENCE, RATIONALE, make_campaign, make_item, make_user

LONG = "Light of every colour is scattered by air, and blue the most.\n\n" * 8
ASKED_WHY = RATIONALE | {"required": True, "condition": {"question": "preference", "values": ["a", "b"]}}


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE, ASKED_WHY, AMOUNT], name="Blue skies")
    for number in range(1, 5):
        make_item(campaign, prompt=f"Why is the sky blue, {number}?", texts=(LONG, "Because air scatters blue light."))
    return campaign


@pytest.fixture
def at_work(open_page, campaign) -> Callable[..., Page]:
    """Opens an item for somebody new."""

    def at_work(viewport: dict[str, int], **values) -> Page:
        user = make_user()
        _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
        person = person_of_user(user=user, now=timezone.now())
        made_ready(join_by_invitation(token=token, person=person, now=timezone.now()), campaign)
        address = f"/annotate/{campaign.slug}/item"
        return open_page(address, viewport, user=user, reduced_motion="reduce", **values)

    return at_work
