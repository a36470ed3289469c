"""What people ask for and in which language, by the labels of their prompts."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from annotation.enums import ItemState, LabelKind
from annotation.models import Campaign, Item, PromptLabel
from annotation.policies.categories import RULES_VERSION
from inference_workers.policies.languages import LANGUAGES_VERSION

MOST_LANGUAGES = 12


@dataclass(frozen=True)
class Asked:
    """Items by label, the most frequent first; an item may have several categories, and has one language."""

    items: int
    categories: list[tuple[str, int]]
    languages: list[tuple[str, int]]


def asked_in(campaign: Campaign) -> Asked:
    """Of what was not void."""
    items = Item.objects.filter(campaign=campaign, prompt__isnull=False).exclude(state=ItemState.VOID)
    return Asked(
        items.count(),
        _counted(items, LabelKind.RULES, RULES_VERSION),
        _counted(items, LabelKind.LANGUAGE, LANGUAGES_VERSION)[:MOST_LANGUAGES],
    )


def _counted(items: QuerySet[Item], kind: str, version: str) -> list[tuple[str, int]]:
    rows = PromptLabel.objects.filter(kind=kind, version=version, prompt__items__in=items)
    totals: dict[str, int] = {}
    for labels, count in rows.order_by().values_list("labels").annotate(count=Count("prompt__items")):
        for label in labels:
            totals[label] = totals.get(label, 0) + count
    return sorted(totals.items(), key=lambda each: (-each[1], each[0]))
