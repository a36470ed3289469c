from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.models import Person
from annotation.enums import ItemPurpose, ItemState, SourceState
from annotation.models import Campaign, GuidelinesVersion, Item
from annotation.queries.work import newest_set
from annotation.use_cases.copy_items import copy_item
from annotation.use_cases.record_event import record_event
from foundation.text import clean_text


def publish_guidelines(
    *,
    campaign_id: int,
    text: str,
    now: datetime,
    actor: Person | None = None,
    requalify: bool = False,
    retrain: bool = False,
    answers_only: bool = False,
) -> GuidelinesVersion:
    """The campaign's next guidelines; each judgment remembers the version it was made under.

    With `requalify` everybody takes the test again, with `retrain` the training too: their items are copied, so that
    each person meets fresh ones. With `answers_only` it holds what the version before it held and answers to questions,
    and nobody has to read it before their next item.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        last = campaign.guidelines_versions.aggregate(last=Max("number"))["last"] or 0
        version = GuidelinesVersion.objects.create(
            campaign=campaign,
            number=last + 1,
            text=clean_text(text),
            requalify=requalify,
            answers_only=answers_only,
        )
        campaign.guidelines = version
        campaign.save(update_fields=["guidelines"])
        data: dict[str, int] = {"number": version.number}
        if requalify:
            data["test_items"] = _renew(campaign, ItemPurpose.QUALIFICATION, version)
        if retrain:
            data["training_items"] = _renew(campaign, ItemPurpose.TRAINING, version)
        verb = "answers_published" if answers_only else "guidelines_published"
        record_event(subject=campaign, verb=verb, actor=actor, data=data)
    return version


def _renew(campaign: Campaign, purpose: ItemPurpose, version: GuidelinesVersion) -> int:
    """Fresh rows of the newest items of this purpose; those before them are taken by nobody any more."""
    items = Item.objects.filter(
        campaign=campaign,
        purpose=purpose,
        test_of=newest_set(campaign, purpose),
        state__in=[ItemState.OPEN, ItemState.FROZEN],
        source__state=SourceState.ACTIVE,
    )
    originals = list(items.order_by("pk"))
    for each in originals:
        copy_item(each, campaign_id=campaign.pk, source_id=each.source_id, test_of=version.pk)
    return len(originals)
