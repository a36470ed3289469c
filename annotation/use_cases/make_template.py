from datetime import datetime

from accounts.models import Person
from annotation.models import Campaign
from annotation.use_cases.copy_campaign import copy_campaign


def make_template(*, campaign_id: int, name: str, actor: Person | None, now: datetime) -> Campaign:
    """A template with all that the campaign asks and pays. It never runs; new campaigns begin as copies of it."""
    return copy_campaign(campaign_id=campaign_id, name=name, actor=actor, now=now, is_template=True)
