from datetime import datetime

from accounts.models import Person
from annotation.enums import SourceKind
from annotation.models import Campaign, Respondent
from foundation.encryption import blind_digest, unwrap_key


def campaign_key(campaign: Campaign) -> bytes:
    return unwrap_key(bytes(campaign.wrapped_key), context=f"campaign:{campaign.slug}")


def enrol_respondent(*, campaign: Campaign, person: Person, kind: str, now: datetime) -> Respondent:
    """The person's respondent in this campaign, under a pseudonym that no other campaign shares."""
    found = Respondent.objects.filter(campaign=campaign, person=person).first()
    if found is not None:
        return found
    respondent, _ = Respondent.objects.get_or_create(
        campaign=campaign,
        person=person,
        defaults={
            "kind": kind,
            "source": campaign.sources.get(kind=SourceKind.LIVE),
            "pseudonym": blind_digest(str(person.pk), purpose="pseudonym", key=campaign_key(campaign))[:16],
        },
    )
    return respondent
