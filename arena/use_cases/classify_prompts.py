from datetime import datetime, timedelta

import structlog

from annotation.use_cases.label_prompt import label_by_classifier
from arena.models import PromptClassifier
from arena.queries.classifier import Wanted, sweep_of
from inference_workers.dispatch import request_measures
from inference_workers.enums import Priority
from inference_workers.queries.measures import scores_of

log = structlog.get_logger(__name__)

# What failed is asked again after so long, and not at every sweep.
AGAIN_AFTER = timedelta(hours=1)


def classify_prompts(*, now: datetime, limit: int = 200) -> int:
    """Label the prompts of arenas that have a model for it, the newest first and then, sweep by sweep, the older: ask
    for what is not sorted yet, behind everybody who waits, and write what is there. Returns how many got their labels.
    No battle waits for any of it.
    """
    labelled = 0
    classifiers = PromptClassifier.objects.select_related("language_model__current", "arena")
    for classifier in classifiers.filter(language_model__current__isnull=False).order_by("pk"):
        labelled += _classify(classifier, now, limit)
    return labelled


def _classify(classifier: PromptClassifier, now: datetime, limit: int) -> int:
    revision, swept = classifier.language_model.serves, sweep_of(classifier, limit, since=now - AGAIN_AFTER)
    wanted = swept.wanted
    found = scores_of(revision.pk, [each.digest for each in wanted])
    labelled = 0
    for each in wanted:
        if each.digest in found:
            label_by_classifier(
                prompt=each.prompt,
                version=classifier.version,
                scores=found[each.digest],
                limit=classifier.limit,
                now=now,
            )
            labelled += 1
        elif each.digest not in swept.stuck:
            _ask(classifier, each)
    if swept.reached != classifier.reached:
        PromptClassifier.objects.filter(pk=classifier.pk).update(reached=swept.reached)
    if swept.stuck:
        log.warning("prompts_not_classified", arena=classifier.arena_id, prompts=len(swept.stuck))
    return labelled


def _ask(classifier: PromptClassifier, wanted: Wanted) -> None:
    text = wanted.prompt.personal_text
    person = text.person if text is not None else None
    request_measures(
        revision=classifier.language_model.serves, chats=[wanted.chat], person=person, priority=Priority.BATCH
    )
