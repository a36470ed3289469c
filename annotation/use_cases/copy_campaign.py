from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.models import Campaign
from annotation.policies.drafts import DRAFTED, SETTINGS, section_content
from annotation.use_cases.record_event import record_event
from annotation.use_cases.start_campaign import start_campaign


def copy_campaign(
    *, campaign_id: int, name: str, actor: Person | None, now: datetime, is_template: bool = False
) -> Campaign:
    """A new campaign in draft that asks and pays as this one does; its items, people and judgments stay behind."""
    with transaction.atomic():
        original = Campaign.objects.get(pk=campaign_id)
        settings = {column: getattr(original, column) for column in SETTINGS if column != "name"}
        # A deadline that has passed would only stand in the way.
        settings["deadline"] = original.deadline if original.deadline and original.deadline > now else None
        draft = original.draft | {section: section_content(original, section) for section in DRAFTED}
        copy = start_campaign(name=name, draft=draft, settings=settings, actor=actor, now=now, is_template=is_template)
        record_event(subject=copy, verb="copied", actor=actor, data={"from": original.slug})
    return copy
