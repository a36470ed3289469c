from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Board, Campaign
from annotation.policies.drafts import DRAFTED
from annotation.policies.launch import Missing, missing_before_launch
from annotation.queries.campaigns import supply_of
from annotation.transitions import CAMPAIGN
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.create_board import create_board
from annotation.use_cases.refresh_selection import refresh_selection
from annotation.use_cases.save_campaign_draft import publish_section
from foundation.transitions import check


class LaunchRefused(AnnotationError):
    """Something that a campaign needs before people judge in it is missing; `missing` has all of it."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__("; ".join(each.text for each in missing))
        self.missing = list(missing)


class TemplateNeverRuns(AnnotationError):
    """A template is only copied."""


def launch_campaign(*, campaign_id: int, to: CampaignState, actor: Person | None, now: datetime) -> Campaign:
    """Freeze what the editor holds as instrument, guidelines and consent, and let people judge, in a pilot or in full.

    Raises ForbiddenTransition, TemplateNeverRuns, and LaunchRefused with everything that is missing; then nothing is
    written.
    """
    if to not in {CampaignState.PILOT, CampaignState.RUNNING}:
        raise ValueError(f"a launch goes to pilot or running, not to {to}")
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        if campaign.is_template:
            raise TemplateNeverRuns(f"{campaign.slug} is a template")
        check(CAMPAIGN, campaign.state, to)
        missing = missing_before_launch(campaign, supply_of(campaign), now)
        if missing:
            raise LaunchRefused(missing)
        for section in DRAFTED:
            publish_section(campaign, section, actor=actor, now=now)
        _open_board(campaign, now)
        launched = change_campaign_state(campaign_id=campaign.pk, to=to, actor=actor, reason="", now=now)
        refresh_selection(campaign=launched, now=now)
        return launched


def _open_board(campaign: Campaign, now: datetime) -> None:
    """The board of the campaign's results, which its admins see; it is published when they say so. An arena's is public
    from the first."""
    if Board.objects.filter(campaign=campaign).exists():
        return
    taken = Board.objects.filter(slug=campaign.slug).exists()
    slug = f"{campaign.slug[:70]}-{campaign.pk}" if taken else campaign.slug
    create_board(slug=slug, name=campaign.name, campaign=campaign, now=now, public=campaign.is_arena)
