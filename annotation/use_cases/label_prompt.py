from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.texts import read_personal_texts
from annotation.enums import LabelKind
from annotation.imports.messages import Message
from annotation.models import Item, Prompt, PromptLabel
from annotation.policies.categories import RULES_VERSION, categories_by_rule
from annotation.policies.lengths import VERSION as LENGTHS_VERSION
from annotation.policies.lengths import length_of
from annotation.queries.labels import read_messages
from inference_workers.policies.languages import LANGUAGES_VERSION, UNKNOWN, language_of

LONGEST_LABEL = 40
# By which the workers know what is left to do; another version of any begins anew.
LABELLED = f"{RULES_VERSION} {LANGUAGES_VERSION} {LENGTHS_VERSION}"


def label_by_rule(*, prompt: Prompt, messages: Sequence[Message], now: datetime) -> list[str]:
    """What the rules say that a prompt asks for, in the caller's transaction; again changes nothing."""
    found = categories_by_rule(messages)
    PromptLabel.objects.get_or_create(
        prompt=prompt, kind=LabelKind.RULES, version=RULES_VERSION, defaults={"labels": found, "created_at": now}
    )
    return found


def label_by_classifier(
    *, prompt: Prompt, version: str, scores: Mapping[str, float], limit: float, now: datetime
) -> list[str]:
    """What a model that sorts texts says that a prompt asks for, beside the rules: the classes that reach the limit,
    the surest first. Once for each version of it."""
    surest = sorted(scores, key=lambda name: (-scores[name], name))
    found = [name[:LONGEST_LABEL] for name in surest if scores[name] >= limit]
    PromptLabel.objects.get_or_create(
        prompt=prompt,
        kind=LabelKind.CLASSIFIER,
        version=version,
        defaults={"labels": found, "confidence": max(scores.values(), default=None), "created_at": now},
    )
    return found


def label_prompts(*, now: datetime, limit: int = 200) -> int:
    """Label prompts that the present rules and detector have not seen, the newest first; returns how many.

    For a worker: what finds languages is large. Words of erased people are passed over.
    """
    left = Prompt.objects.filter(Q(labelled_under__lt=LABELLED) | Q(labelled_under__gt=LABELLED)).order_by("-pk")
    with transaction.atomic():
        prompts = list(left.select_for_update(skip_locked=True, no_key=True)[:limit])
        texts = read_personal_texts(each.personal_text_id for each in prompts if each.personal_text_id)
        for prompt in prompts:
            messages = read_messages(prompt, texts)
            if messages is not None:
                label_by_rule(prompt=prompt, messages=messages, now=now)
                _label_language(prompt, messages, now)
                prompt.length = length_of(messages)
            prompt.labelled_under = LABELLED
        Prompt.objects.bulk_update(prompts, ["labelled_under", "language", "length"])
    return len(prompts)


def _label_language(prompt: Prompt, messages: Sequence[Message], now: datetime) -> None:
    """What an import says of itself stays; else prompt and items get the language, where it is known."""
    told = language_of("\n".join(each["content"] for each in messages if each["role"] == "user"))
    PromptLabel.objects.get_or_create(
        prompt=prompt,
        kind=LabelKind.LANGUAGE,
        version=LANGUAGES_VERSION,
        defaults={"labels": [told.language], "confidence": told.sure, "created_at": now},
    )
    if told.language != UNKNOWN:
        prompt.language = prompt.language or told.language
        Item.objects.filter(prompt=prompt, language="", campaign__is_arena=True).update(language=told.language)
