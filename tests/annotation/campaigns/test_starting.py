"""Where campaigns come from: starting points and copies; and drafts that are discarded."""

import re
from decimal import Decimal

import pytest
from django.utils import timezone

from annotation.enums import CampaignState
from annotation.models import Campaign
from annotation.policies.drafts import all_as_asked, section_content
from annotation.policies.templates import ALL, starting_points
from annotation.queries.campaigns import supply_of
from annotation.questions import all_types, instrument_digest
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.copy_campaign import copy_campaign
from annotation.use_cases.discard_campaign import NotUntouched, discard_campaign
from annotation.use_cases.start_campaign import start_campaign
from tests.annotation.campaigns.launching import ASKED, launch, ready, start, verbs
from tests.factories import make_campaign, make_item

pytestmark = pytest.mark.django_db


def test_the_guidelines_of_a_starting_point_speak_of_what_it_asks():
    for point in ALL:
        types, text = {each["type"] for each in point.questions}, str(point.guidelines).lower()
        said = {
            "both": "**both " in text or "both responses" in text,
            "scale": "scale" in text,
            "no difference": "no difference" in text,
        }
        if text:
            assert not said["both"] or point.responses == 2, point.slug
            assert not said["scale"] or "rating" in types, point.slug
            assert not said["no difference"] or "preference" in types, point.slug


def test_a_copy_asks_and_pays_the_same_and_has_neither_items_nor_people():
    campaign = ready(overlap=3, pay_per_judgment=Decimal("0.5"), group_quotas={"nurses": 5}, deadline=timezone.now())
    launched = ready(standard="As a teacher.")
    launch(launched)
    copies = [
        copy_campaign(campaign_id=each.pk, name="Trial", actor=None, now=timezone.now())
        for each in (campaign, launched)
    ]
    assert len({campaign.slug, launched.slug, *(copy.slug for copy in copies)}) == 4
    first, second = copies
    assert (first.state, first.overlap, first.pay_per_judgment, first.group_quotas, first.deadline) == (
        *("draft", 3, Decimal("0.5"), {"nurses": 5}),
        None,
    )
    assert (second.standard, second.instrument, supply_of(second).work) == ("As a teacher.", None, 0)
    assert {section: section_content(second, section) for section in ("questions", "guidelines")} == {
        "questions": ASKED,
        "guidelines": "Read both.",
    }
    assert bytes(first.wrapped_key) != bytes(campaign.wrapped_key)


def test_a_campaign_that_was_set_up_without_the_editor_is_copied_from_what_it_published():
    campaign = make_campaign()
    copy = copy_campaign(campaign_id=campaign.pk, name="Copy", actor=None, now=timezone.now())
    assert instrument_digest(all_as_asked(section_content(copy, "questions"))) == campaign.instrument.digest


def test_an_untouched_draft_is_discarded_and_anything_else_is_not():
    untouched, with_item, piloted = start(), ready(), ready()
    launch(piloted, CampaignState.PILOT)
    change_campaign_state(campaign_id=piloted.pk, to="draft", actor=None, reason="again", now=timezone.now())
    discard_campaign(campaign_id=untouched.pk, actor=None, now=timezone.now())
    assert not Campaign.objects.filter(pk=untouched.pk).exists()
    assert verbs(untouched)[-1] == "discarded"
    for campaign in (with_item, piloted):
        with pytest.raises(NotUntouched):
            discard_campaign(campaign_id=campaign.pk, actor=None, now=timezone.now())


def test_every_starting_point_whose_types_are_there_is_offered_and_can_be_launched():
    wanted = {each.slug for each in ALL if {question["type"] for question in each.questions} <= set(all_types())}
    assert {each.slug for each in starting_points()} == wanted
    for point in starting_points():
        if point.slug == "blank":
            continue
        # What is in brackets is for the admin to say.
        draft = point.draft | {"consent": re.sub(r"\[[^\]]*\]", "said", point.draft["consent"])}
        told = {"expected_seconds": 60, "contact": "Ada"}
        campaign = start(draft=draft, responses_per_item=point.responses, **told)
        make_item(campaign, texts=["text"] * point.responses)
        assert launch(campaign).state == "running", point.slug


def test_a_name_makes_a_readable_address_and_never_the_sites_own():
    first, second, third = (
        start(),
        start(),
        start_campaign(name="New", draft={}, settings={}, actor=None, now=timezone.now()),
    )
    japanese = start_campaign(name="評価", draft={}, settings={}, actor=None, now=timezone.now())
    assert (first.slug, second.slug.startswith("trial-"), third.slug.startswith("new-"), japanese.slug) == (
        *("trial", True, True),
        "campaign",
    )
