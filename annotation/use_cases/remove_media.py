from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import UploadState
from annotation.errors import AnnotationError
from annotation.models import Campaign, ItemUpload, MediaFile
from annotation.queries.media import is_used
from annotation.use_cases.record_event import record_event


class MediaInUse(AnnotationError):
    """An item or a text shows the file, or items are being imported that may. It stays."""


def remove_media(*, campaign_id: int, media_id: int, actor: Person, now: datetime) -> None:
    """Take a file that nothing shows out of a campaign; the sweeper removes it from the disk once nobody has it.

    Raises MediaInUse, and MediaFile.DoesNotExist.
    """
    with transaction.atomic():
        # An import locks the campaign when it ends, and looks then whether its files are still there.
        campaign = Campaign.objects.select_for_update(of=["self"]).get(pk=campaign_id)
        media = MediaFile.objects.select_related("campaign").get(pk=media_id, campaign=campaign)
        reading = [UploadState.QUEUED, UploadState.WRITING]
        if ItemUpload.objects.filter(campaign=campaign, state__in=reading).exists() or is_used(media):
            raise MediaInUse(f"{media.name} is in use")
        record_event(
            subject=campaign,
            verb="media_removed",
            actor=actor,
            data={"name": media.name, "sha256": media.sha256},
        )
        media.delete()
