from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import CampaignState
from annotation.errors import AnnotationError
from annotation.models import Campaign, Generation, Item, ItemUpload, MediaFile, Respondent
from annotation.use_cases.record_event import record_event


class NotUntouched(AnnotationError):
    """Something hangs on the campaign: it was launched, or it has items, people or files. Close it instead."""


def discard_campaign(*, campaign_id: int, actor: Person | None, now: datetime) -> None:
    """Delete a draft or a template that nothing hangs on yet; the event stays. Raises NotUntouched."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        if not is_untouched(campaign):
            raise NotUntouched(f"campaign {campaign.slug} is not untouched")
        record_event(
            subject=campaign, verb="discarded", actor=actor, from_state=campaign.state, data={"slug": campaign.slug}
        )
        campaign.sources.all().delete()
        campaign.media.all().delete()
        campaign.delete()


def is_untouched(campaign: Campaign) -> bool:
    """Whether it never left the draft and holds nothing but its own texts."""
    if (
        campaign.state != CampaignState.DRAFT
        or campaign.is_arena
        or campaign.instruments.exists()
        or campaign.shadow_of_id
    ):
        return False
    if campaign.guidelines_versions.exists() or campaign.consent_texts.exists() or campaign.shadows.exists():
        return False
    # Files that came with its texts when it was copied are another campaign's, too.
    elsewhere = MediaFile.objects.exclude(campaign=campaign).values("stored")
    if MediaFile.objects.filter(campaign=campaign).exclude(stored__in=elsewhere).exists():
        return False
    hanging = (Item, Respondent, ItemUpload, Generation)
    return not (campaign.invitations.exists() or any(m.objects.filter(campaign=campaign).exists() for m in hanging))
