"""Campaigns on their way to a launch, saved and launched as the editor does, for the tests of it."""

import pytest
from django.utils import timezone

from annotation.enums import CampaignState
from annotation.models import Campaign, Event
from annotation.policies.drafts import (
    section_content,
    section_version,
)
from annotation.use_cases.launch_campaign import LaunchRefused, launch_campaign
from annotation.use_cases.save_campaign_draft import save_campaign_draft
from annotation.use_cases.save_campaign_settings import save_campaign_settings
from annotation.use_cases.start_campaign import start_campaign
from annotation.use_cases.submit_judgment import submit_judgment
from tests.factories import claim_and_show, make_item, make_respondent, new_key

WHY = {"name": "why", "type": "rationale", "required": False}
ASKED = [{"name": "preference", "type": "preference"}, WHY]


def start(**settings) -> Campaign:
    draft = {"questions": ASKED, "guidelines": "Read both.", "consent": "You may stop."}
    return start_campaign(
        name="Trial",
        draft=settings.pop("draft", draft),
        settings={"purpose": "To try.", **settings},
        actor=None,
        now=timezone.now(),
    )


def ready(**settings) -> Campaign:
    campaign = start(**settings)
    make_item(campaign)
    return campaign


def launch(campaign, to=CampaignState.RUNNING, actor=None) -> Campaign:
    return launch_campaign(campaign_id=campaign.pk, to=to, actor=actor, now=timezone.now())


def refused(campaign) -> list[tuple[str, str]]:
    with pytest.raises(LaunchRefused) as refusal:
        launch(campaign)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.instrument, campaign.guidelines, campaign.consent) == ("draft", None, None, None)
    return [(missing.section, missing.text) for missing in refusal.value.missing]


def save(campaign, section, content, version=None):
    return save_campaign_draft(
        campaign_id=campaign.pk,
        section=section,
        content=content,
        version=version or section_version(campaign, section),
        actor=None,
        now=timezone.now(),
    )


def set_up(campaign, section, version=None, **values):
    return save_campaign_settings(
        campaign_id=campaign.pk,
        section=section,
        values=section_content(campaign, section) | values,
        version=version or section_version(campaign, section),
        actor=None,
        now=timezone.now(),
    )


def judge(campaign) -> None:
    assignment, _impression = claim_and_show(campaign, respondent := make_respondent(campaign))
    submit_judgment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": "tie"}},
        now=timezone.now(),
    )


def verbs(campaign) -> list[str]:
    events = Event.objects.filter(subject="annotation.campaign", subject_id=str(campaign.pk)).order_by("pk")
    return [event.verb for event in events]
