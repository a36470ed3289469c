"""The model that labels an arena's prompts: what is left for it to do, and how it gets on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from accounts.texts import read_personal_texts
from annotation.enums import LabelKind
from annotation.models import Prompt, PromptLabel
from annotation.queries.labels import Agreement, agreement_in, read_messages
from arena.models import Arena, PromptClassifier
from inference_workers.dispatch import measure_digest
from inference_workers.enums import Task
from inference_workers.queries.measures import failed_lately, failures_of


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


@dataclass(frozen=True)
class Swept:
    """What a sweep looks at: `stuck` were tried lately and failed, and `reached` is where the next one goes on below
    the newest, or None for where they end."""

    wanted: Sequence[Wanted]
    stuck: Collection[str]
    reached: int | None


def sweep_of(classifier: PromptClassifier, most: int, *, since: datetime) -> Swept:
    """The newest, so many; and for each of them that failed since then one older in its place, so that what fails does
    not keep the rest from ever being asked about. Who is older is gone through window by window, each until all of it
    is labelled or has failed: no more than twice as many are ever asked about at once."""
    newest = prompts_of(classifier, most)
    wanted = read_prompts(newest)
    stuck = _failed(classifier, wanted, since)
    places = most - _waiting(wanted, stuck)
    if len(newest) < most or places == 0:
        return Swept(wanted, stuck, None)
    below = min(newest[-1].pk, classifier.reached or newest[-1].pk)
    older = prompts_of(classifier, places, below=below)
    also = read_prompts(older)
    failed = _failed(classifier, also, since)
    end = older[-1].pk if older else None
    return Swept([*wanted, *also], stuck | failed, classifier.reached if _waiting(also, failed) else end)


def _waiting(wanted: Sequence[Wanted], stuck: Collection[str]) -> int:
    """The same words of one person have one measure."""
    return sum(each.digest not in stuck for each in wanted)


def _failed(classifier: PromptClassifier, wanted: Sequence[Wanted], since: datetime) -> set[str]:
    return failed_lately(classifier.language_model.serves.pk, [each.digest for each in wanted], since=since)


def prompts_of(classifier: PromptClassifier, most: int, *, below: int | None = None) -> list[Prompt]:
    """Without a label, the newest first."""
    found = unlabelled(classifier) if below is None else unlabelled(classifier).filter(pk__lt=below)
    return list(found.select_related("personal_text__person").distinct()[:most])


def read_prompts(prompts: Sequence[Prompt]) -> list[Wanted]:
    """The last message that a person wrote decides, as it does for the rules."""
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
    newest = read_prompts(prompts_of(classifier, 100))
    return Classified(
        classifier,
        left=unlabelled(classifier).distinct().count(),
        agreement=agreement_in(arena.campaign, classifier.version),
        reasons=failures_of(classifier.language_model.serves.pk, [each.digest for each in newest]),
    )
