"""The model that labels an arena's prompts: what is left for it to do, and how it gets on."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from accounts.texts import read_personal_texts
from annotation.enums import LabelKind
from annotation.models import Prompt, PromptLabel
from annotation.queries.labels import Agreement, agreement_in, read_messages
from arena.models import Arena, PromptClassifier
from inference_workers.dispatch import measure_digest
from inference_workers.enums import Task
from inference_workers.queries.measures import failures_of


@dataclass(frozen=True)
class Wanted:
    """A prompt that has no label yet: what of it is sorted, and by which digest the measure is found."""

    prompt: Prompt
    chat: list[dict[str, str]]
    digest: str


def classifier_of(arena: Arena) -> PromptClassifier | None:
    found = PromptClassifier.objects.filter(arena=arena).select_related("language_model__current", "arena__campaign")
    return found.first()


def unlabelled(classifier: PromptClassifier) -> QuerySet[Prompt]:
    """The newest first; not those of erased people, which nobody can read."""
    label = PromptLabel.objects.filter(prompt=OuterRef("pk"), kind=LabelKind.CLASSIFIER, version=classifier.version)
    asked = Prompt.objects.filter(items__campaign=classifier.arena.campaign_id)
    return asked.exclude(Exists(label)).exclude(personal_text__person__erased_at__isnull=False).order_by("-pk")


def wanted_of(classifier: PromptClassifier, most: int) -> list[Wanted]:
    """The last message that a person wrote decides, as it does for the rules."""
    prompts = list(unlabelled(classifier).select_related("personal_text__person").distinct()[:most])
    texts = read_personal_texts(each.personal_text_id for each in prompts if each.personal_text_id)
    found = []
    for prompt in prompts:
        said = [each["content"] for each in read_messages(prompt, texts) or [] if each["role"] == "user"]
        if said and said[-1].strip():
            person = prompt.personal_text.person if prompt.personal_text else None
            chat = [{"role": "user", "content": said[-1]}]
            found.append(Wanted(prompt, chat, measure_digest(Task.CLASSES, chat, person)))
    return found


@dataclass(frozen=True)
class Classified:
    """`reasons` says why prompts of the newest hundred could not be labelled."""

    classifier: PromptClassifier | None
    left: int = 0
    agreement: Agreement | None = None
    reasons: Sequence[tuple[str, int]] = ()


def classified(arena: Arena) -> Classified:
    classifier = classifier_of(arena)
    if classifier is None:
        return Classified(None)
    newest = wanted_of(classifier, 100)
    return Classified(
        classifier,
        left=unlabelled(classifier).distinct().count(),
        agreement=agreement_in(arena.campaign, classifier.version),
        reasons=failures_of(classifier.language_model.serves.pk, [each.digest for each in newest]),
    )
