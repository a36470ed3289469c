from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.models import Person
from annotation.models import Campaign, ConsentText
from annotation.use_cases.record_event import record_event
from foundation.text import clean_text


def publish_consent(*, campaign_id: int, text: str, now: datetime, actor: Person | None = None) -> ConsentText:
    """The campaign's next consent text; everybody is asked anew before their next item."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        last = campaign.consent_texts.aggregate(last=Max("number"))["last"] or 0
        version = ConsentText.objects.create(
            campaign=campaign, number=last + 1, text=clean_text(text), withdrawal_until=campaign.withdrawal_until
        )
        campaign.consent = version
        campaign.save(update_fields=["consent"])
        record_event(subject=campaign, verb="consent_published", actor=actor, data={"number": version.number})
    return version
