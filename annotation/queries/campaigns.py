"""What the pages of campaigns show."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet, Sum

from annotation.enums import ItemPurpose, ItemState
from annotation.models import Campaign, Event, Item, Judgment, SlotTally
from annotation.policies.launch import Supply


@dataclass(frozen=True)
class Progress:
    """Judgments of work given and wanted, by slots. Checks and repeats, which are one person's each, are no target."""

    done: int = 0
    wanted: int = 0
    taken: int = field(default=0, compare=False)  # everything that somebody holds or has answered


@dataclass(frozen=True)
class ListedCampaign:
    campaign: Campaign
    progress: Progress


def listed_campaigns() -> QuerySet[Campaign]:
    """Newest first, without templates and the shadows of dry runs."""
    return Campaign.objects.filter(shadow_of__isnull=True, is_template=False).order_by("-created_at", "-pk")


def templates() -> list[Campaign]:
    return list(Campaign.objects.filter(is_template=True, shadow_of__isnull=True).order_by("name", "pk"))


def with_progress(campaigns: Sequence[Campaign]) -> list[ListedCampaign]:
    """In one query, however many campaigns there are."""
    progress = _progress(campaigns)
    return [ListedCampaign(campaign, progress.get(campaign.pk, Progress())) for campaign in campaigns]


# What is shown beside work and anchors, to each person once at most.
CHECKS = (ItemPurpose.GOLD, ItemPurpose.ATTENTION, ItemPurpose.TRAINING, ItemPurpose.QUALIFICATION)


def progress_of(campaign: Campaign) -> Progress:
    return _progress([campaign]).get(campaign.pk, Progress())


def supply_of(campaign: Campaign) -> Supply:
    counts: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    originals = Item.objects.filter(campaign=campaign, repeat_of__isnull=True).order_by()
    for purpose, state, count in originals.values_list("purpose", "state").annotate(count=Count("pk")):
        if state in (ItemState.OPEN, ItemState.FROZEN):
            counts[purpose] += count
        else:
            waiting[state] += count
    return Supply(
        work=counts[ItemPurpose.WORK],
        gold=counts[ItemPurpose.GOLD],
        attention=counts[ItemPurpose.ATTENTION],
        qualification=counts[ItemPurpose.QUALIFICATION],
        training=counts[ItemPurpose.TRAINING],
        filling=waiting[ItemState.FILLING],
        proposed=waiting[ItemState.PROPOSED],
        anchors=counts[ItemPurpose.ANCHOR],
        checks=sum(counts[purpose] for purpose in CHECKS),
    )


def has_test(campaign: Campaign) -> bool:
    return Item.objects.filter(campaign=campaign, purpose=ItemPurpose.QUALIFICATION).exists()


def is_judged(campaign: Campaign) -> bool:
    return Judgment.objects.filter(campaign=campaign).exists()


def first_item(campaign: Campaign) -> Item | None:
    """One that can be shown as annotators see it."""
    ready = Item.objects.filter(
        campaign=campaign, purpose=ItemPurpose.WORK, state__in=[ItemState.OPEN, ItemState.FROZEN]
    )
    return ready.order_by("pk").first()


def latest_events(campaign: Campaign, count: int = 12) -> list[Event]:
    """Who did what to it, newest first."""
    events = Event.objects.filter(subject=Campaign._meta.label_lower, subject_id=str(campaign.pk))
    return list(events.select_related("actor__user").order_by("-pk")[:count])


def _progress(campaigns: Sequence[Campaign]) -> dict[int, Progress]:
    """From the tallies: a list of campaigns costs no more where they are large."""
    counted = SlotTally.objects.filter(campaign__in=campaigns).order_by().values_list("campaign")
    summed = counted.annotate(all_done=Sum("done"), all_wanted=Sum("wanted"), all_taken=Sum("taken"))
    return {campaign: Progress(*counts) for campaign, *counts in summed}
