"""What people ask for and in which language, by the labels of their prompts."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from annotation.enums import ItemState, LabelKind
from annotation.models import Campaign, Item, Prompt, PromptLabel
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


@dataclass(frozen=True)
class Compared:
    """One category: prompts that both say it of, the rules alone, and the model alone."""

    name: str
    both: int
    rules: int
    model: int


@dataclass(frozen=True)
class Agreement:
    """Prompts that both have labelled, and how many of them have a category in common, or none from either."""

    prompts: int = 0
    agreed: int = 0
    categories: Sequence[Compared] = ()

    @property
    def percent(self) -> float:
        return 100 * self.agreed / self.prompts if self.prompts else 0.0


# The newest so many; a page is not to wait for all that were ever asked.
MOST_COMPARED = 20_000


def agreement_in(campaign: Campaign, version: str) -> Agreement:
    """Between the present rules and one version of a model, over the newest prompts that the model has labelled."""
    items = Item.objects.filter(campaign=campaign, prompt__isnull=False).exclude(state=ItemState.VOID)
    by_model = PromptLabel.objects.filter(kind=LabelKind.CLASSIFIER, version=version, prompt__items__in=items)
    said = dict(by_model.order_by("-pk").values_list("prompt", "labels").distinct()[:MOST_COMPARED])
    by_rule = PromptLabel.objects.filter(kind=LabelKind.RULES, version=RULES_VERSION, prompt__in=list(said))
    pairs = [(set(labels), set(said[prompt])) for prompt, labels in by_rule.values_list("prompt", "labels")]
    found = Counter((name, name in rules, name in model) for rules, model in pairs for name in rules | model)
    names = sorted({name for name, _rules, _model in found})
    return Agreement(
        prompts=len(pairs),
        agreed=sum(bool(rules & model) or not (rules or model) for rules, model in pairs),
        categories=[
            Compared(name, found[name, True, True], found[name, True, False], found[name, False, True])
            for name in names
        ],
    )


def read_messages(prompt: Prompt, texts: Mapping[int, str | None]) -> list[dict[str, str]] | None:
    """A prompt's chat, its person's words among `texts` by their ids; None where they were erased."""
    if prompt.personal_text_id is None:
        return list(prompt.messages or [])
    sealed = texts[prompt.personal_text_id]
    return None if sealed is None else json.loads(sealed)


def labels_of(prompt: Prompt | None) -> list[PromptLabel]:
    """Every version of each kind, the newest of a kind first."""
    return [] if prompt is None else list(prompt.labels.order_by("kind", "-pk"))
