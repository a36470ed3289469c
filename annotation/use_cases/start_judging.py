from datetime import datetime

import numpy as np
from django.db import transaction

from accounts.models import Person
from annotation.enums import JudgedItems, RespondentKind, SourceKind, SourceState
from annotation.errors import AnnotationError
from annotation.models import Campaign, Judging, Respondent, Source, Verdict
from annotation.policies.judging import TEMPLATE_VERSION
from annotation.queries.judges import judgeable, why_not_judged
from annotation.selection.draws import new_seed, stream
from annotation.use_cases.advance_judging import hint_judging
from annotation.use_cases.record_event import record_event
from foundation.idempotency import body_hash, once
from inference_workers.enums import Output, Task, Visibility
from inference_workers.models import LanguageModel

# The stream of a judging's seed that draws its items.
ITEMS = 11
BATCH = 2_000


class CannotJudge(AnnotationError):
    """What was chosen leaves a model judge nothing to do; the message says why."""


def start_judging(
    *,
    campaign_id: int,
    model_id: int,
    which: str,
    count: int | None,
    key: str,
    actor: Person | None,
    now: datetime,
    seed: int | None = None,
) -> Judging:
    """Have a language model answer the campaign's questions about its items, each in both orders, little by little from
    then on. What it says goes to a source of its own, which stands apart.

    The same key again is the same judging. Raises CannotJudge, and what `once` raises.
    """
    body = body_hash({"model": model_id, "which": which, "count": count})
    scope = f"judge:{campaign_id}:{model_id}"
    with transaction.atomic(), once(key=key, scope=scope, body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Judging.objects.get(pk=attempt.response["judging"])
        campaign = Campaign.objects.select_for_update(no_key=True, of=["self"]).get(pk=campaign_id)
        seed = new_seed() if seed is None else seed
        items = chosen_items(campaign, which, count, seed)
        if why_not := why_not_judged(campaign, len(items)):
            raise CannotJudge(why_not)
        judging = _create(campaign, _model(model_id), which, items, seed, actor)
        attempt.response = {"judging": judging.pk}
        transaction.on_commit(lambda: hint_judging(judging.pk), robust=True)
    return judging


def chosen_items(campaign: Campaign, which: str, count: int | None, seed: int) -> list[int]:
    """Ids, ascending; a sample is drawn from the seed."""
    ids = list(judgeable(campaign, which).values_list("pk", flat=True))
    if which != JudgedItems.SAMPLE or count is None or count >= len(ids):
        return ids
    drawn = stream(seed, ITEMS).choice(len(ids), size=count, replace=False)
    return [ids[place] for place in np.sort(drawn).tolist()]


def _model(model_id: int) -> LanguageModel:
    found = LanguageModel.objects.filter(pk=model_id, task=Task.TEXT, current__output=Output.TEXT)
    model = found.exclude(visibility=Visibility.RETIRED).select_related("current").first()
    if model is None:
        raise CannotJudge("this language model cannot be asked for words")
    return model


def _create(
    campaign: Campaign, model: LanguageModel, which: str, items: list[int], seed: int, actor: Person | None
) -> Judging:
    revision = model.serves
    details = {
        "judge": model.name,
        "revision": revision.number,
        "template_version": TEMPLATE_VERSION,
        "temperature": revision.temperature,
        "top_p": revision.top_p,
        "max_tokens": revision.max_tokens,
    }
    name = f"Model judge: {model.name} r{revision.number}"
    source = Source.objects.create(
        campaign=campaign, kind=SourceKind.JUDGE, state=SourceState.APART, name=name, details=details
    )
    judging = Judging.objects.create(
        campaign=campaign,
        source=source,
        revision=revision,
        instrument=campaign.asks,
        template_version=TEMPLATE_VERSION,
        items=which,
        parameters={"seed": str(seed), "count": len(items)},
        created_by=actor,
    )
    # One for each order: nobody judges an item twice.
    Respondent.objects.bulk_create(
        Respondent(campaign=campaign, kind=RespondentKind.MODEL_JUDGE, source=source, pseudonym=pseudonym)
        for pseudonym in pseudonyms_of(judging)
    )
    orders = (False, True) if campaign.responses_per_item > 1 else (False,)
    rows = (Verdict(judging=judging, item_id=item, swapped=swapped) for item in items for swapped in orders)
    Verdict.objects.bulk_create(rows, batch_size=BATCH)
    data = {"model": model.slug, "items": len(items), "seed": str(seed), "template_version": TEMPLATE_VERSION}
    record_event(subject=judging, verb="started", actor=actor, to_state=judging.state, data=data)
    return judging


def pseudonyms_of(judging: Judging) -> tuple[str, str]:
    """Of the respondents for the items' own order and for the opposite one."""
    return f"judge-{judging.pk}", f"judge-{judging.pk}-swapped"
