from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Campaign
from annotation.transitions import CAMPAIGN
from annotation.use_cases.expire_assignments import renew_leases
from annotation.use_cases.record_event import record_event
from foundation.transitions import check


class NothingToAsk(AnnotationError):
    """A campaign cannot take judgments before it has an instrument. Publish one first."""


def change_campaign_state(*, campaign_id: int, to: str, actor: Person | None, reason: str, now: datetime) -> Campaign:
    """Move a campaign along its states; raises ForbiddenTransition or NothingToAsk."""
    with transaction.atomic():
        # An import that has written items holds the key for minutes; the state is not the key.
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
        check(CAMPAIGN, campaign.state, to)
        if to in {CampaignState.PILOT, CampaignState.RUNNING} and campaign.instrument_id is None:
            raise NothingToAsk(f"campaign {campaign.slug} has no instrument")
        before, campaign.state = campaign.state, to
        campaign.save(update_fields=["state"])
        if before == CampaignState.PAUSED:
            renew_leases(campaign_id=campaign.pk)
        record_event(subject=campaign, verb="state_changed", actor=actor, from_state=before, to_state=to, reason=reason)
    return campaign
