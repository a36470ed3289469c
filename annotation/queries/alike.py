"""Prompts of a campaign that say nearly the same."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.enums import ItemPurpose, ItemState
from annotation.models import Campaign, Item
from annotation.policies.alike import pairs_above
from annotation.queries.keeping import kept
from inference_workers.dispatch import measure_digest
from inference_workers.enums import Task
from inference_workers.models import LanguageModelRevision
from inference_workers.queries.measures import MeasureProgress, failures_of, measure_progress, numbers_of

SHOWN = 100


@dataclass(frozen=True)
class PromptText:
    """A text that one or more items ask, word for word."""

    text: str
    items: Sequence[int]


@dataclass(frozen=True)
class AlikePair:
    first: PromptText
    second: PromptText
    cosine: float

    @property
    def both(self) -> tuple[PromptText, PromptText]:
        return self.first, self.second


@dataclass(frozen=True)
class AlikePrompts:
    """`same` counts items whose prompt another item has word for word; pairs are of texts that differ."""

    progress: MeasureProgress
    failures: Sequence[tuple[str, int]]
    items: int
    same: int
    count: int
    texts: int
    pairs: Sequence[AlikePair]


def prompt_texts(campaign: Campaign) -> dict[str, PromptText]:
    """By digest. Nobody's own words are among them, and no prompt of checks or repeats."""
    rows = Item.objects.filter(
        campaign=campaign, purpose=ItemPurpose.WORK, repeat_of__isnull=True, prompt__messages__isnull=False
    ).exclude(state=ItemState.VOID)
    found: dict[str, list[int]] = defaultdict(list)
    texts: dict[str, str] = {}
    for pk, messages in rows.order_by("pk").values_list("pk", "prompt__messages").iterator():
        text = "\n\n".join(message["content"] for message in messages or [] if message["content"].strip())
        if text:
            digest = measure_digest(Task.EMBEDDING, as_chat(text), None)
            texts[digest] = text
            found[digest].append(pk)
    return {digest: PromptText(texts[digest], items) for digest, items in found.items()}


def as_chat(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def alike_prompts(campaign: Campaign, revision: LanguageModelRevision, threshold: float) -> AlikePrompts:
    """Every pair is compared; what came out is kept until another prompt is measured."""
    texts = prompt_texts(campaign)
    progress = measure_progress(revision.pk, texts.keys())
    stamp = [revision.pk, threshold, len(texts), progress.measured]
    known = kept(f"alike:{campaign.pk}", stamp, lambda: _compared(texts, revision.pk, threshold))
    repeated = [len(each.items) for each in texts.values() if len(each.items) > 1]
    return AlikePrompts(
        progress=progress,
        failures=failures_of(revision.pk, texts.keys()) if progress.failed else [],
        items=sum(len(each.items) for each in texts.values()),
        same=sum(repeated),
        count=known["count"],
        texts=known["texts"],
        pairs=[AlikePair(texts[a], texts[b], cosine) for a, b, cosine in known["pairs"] if a in texts and b in texts],
    )


def _compared(texts: Mapping[str, PromptText], revision_id: int, threshold: float) -> dict[str, Any]:
    rows = list(numbers_of(revision_id, texts.keys()))
    if not rows:
        return {"count": 0, "texts": 0, "pairs": []}
    vectors = np.array([np.frombuffer(numbers, dtype=np.float32) for _digest, numbers in rows])
    found = pairs_above(vectors, threshold, most=SHOWN)
    pairs = [[rows[a][0], rows[b][0], cosine] for a, b, cosine in found.pairs]
    return {"count": found.count, "texts": found.texts, "pairs": pairs}
