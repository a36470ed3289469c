from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.models import Campaign, MediaFile
from annotation.policies.drafts import DRAFTED, SETTINGS, section_content
from annotation.queries.media import media_by_name, names_in
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
        last = original.withdrawal_until
        settings["withdrawal_until"] = last if last and last > now.date() else None
        draft = original.draft | {section: section_content(original, section) for section in DRAFTED}
        copy = start_campaign(name=name, draft=draft, settings=settings, actor=actor, now=now, is_template=is_template)
        _copy_media(original, copy, actor, now)
        record_event(subject=copy, verb="copied", actor=actor, data={"from": original.slug})
    return copy


def _copy_media(original: Campaign, copy: Campaign, actor: Person | None, now: datetime) -> None:
    """The files that its texts show; on the disk they are the same."""
    shown = media_by_name(original.pk, names_in(text for text in copy.draft.values() if isinstance(text, str)))
    for media in shown.values():
        media.pk, media.campaign, media.created_by, media.created_at = None, copy, actor, now
        media._state.adding = True
    MediaFile.objects.bulk_create(shown.values())
