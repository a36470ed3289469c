"""Items that somebody said something is wrong with, whether anybody has judged them or not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, QuerySet

from annotation.models import Campaign, Flag, Item, Response
from annotation.queries.said import Excerpt, RaisedFlag, excerpts, with_words
from annotation.queries.shown import ShownItem, shown_item


@dataclass(frozen=True)
class FlaggedItem:
    """An item with its open flags, the oldest first. Nothing here says who wrote its responses."""

    item: Item
    excerpt: Excerpt
    flags: list[RaisedFlag] = field(default_factory=list)


def items_flagged(campaign: Campaign) -> QuerySet[Flag, Any]:
    """The ids of items that have open flags, the one flagged last first."""
    flags = Flag.objects.filter(item__campaign=campaign, resolved_at__isnull=True)
    found = flags.values("item").annotate(newest=Max("pk")).order_by("-newest")
    return found.values_list("item", flat=True)


def listed_flags(items: Sequence[int]) -> list[FlaggedItem]:
    """In a constant number of queries, however many items and flags there are."""
    found, about = Item.objects.in_bulk(items), excerpts(items)
    rows = {pk: FlaggedItem(found[pk], about[pk]) for pk in items}
    flags = Flag.objects.filter(item__in=items, resolved_at__isnull=True).order_by("pk")
    for raised in with_words(list(flags)):
        rows[raised.flag.item_id].flags.append(raised)
    return list(rows.values())


def item_as_stored(item_id: int) -> ShownItem:
    """An item as an annotator could see it, its responses in the item's own order."""
    positions = Response.objects.filter(item=item_id).order_by("position").values_list("position", flat=True)
    return shown_item(item_id, list(positions))
