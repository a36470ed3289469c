from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.models import Person
from annotation.models import Campaign, GuidelinesVersion
from annotation.use_cases.record_event import record_event
from foundation.text import clean_text


def publish_guidelines(*, campaign_id: int, text: str, now: datetime, actor: Person | None = None) -> GuidelinesVersion:
    """The campaign's next guidelines; each judgment remembers the version it was made under."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        last = campaign.guidelines_versions.aggregate(last=Max("number"))["last"] or 0
        version = GuidelinesVersion.objects.create(campaign=campaign, number=last + 1, text=clean_text(text))
        campaign.guidelines = version
        campaign.save(update_fields=["guidelines"])
        record_event(subject=campaign, verb="guidelines_published", actor=actor, data={"number": version.number})
    return version
