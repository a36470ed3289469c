from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import connection, transaction

from accounts.models import Person
from annotation.enums import GenerationKind, ItemPurpose, ItemState, SourceKind
from annotation.errors import AnnotationError
from annotation.imports.prompts import MOST_PROMPTS, GivenPrompt
from annotation.imports.rows import batch_of
from annotation.models import Campaign, Generation, Item, Response
from annotation.policies.drafts import refuse_if_closed
from annotation.policies.samples import AS_THEY_ARE, ONE_EACH, Plan, Samples, Seating, refusal_of, seat
from annotation.selection.draws import new_seed, stream
from annotation.use_cases.advance_generation import hint_generation
from annotation.use_cases.copy_rows import copy_rows, reserve_ids
from annotation.use_cases.enter_contestant import SettingsNameTaken, enter_contestant
from annotation.use_cases.import_items import Prompts
from annotation.use_cases.record_event import record_event
from foundation.idempotency import body_hash, once
from inference_workers.enums import Task, Visibility
from inference_workers.models import LanguageModel

# The stream of a generation's seed that seats its contestants.
SEATS = 10
BATCH = 5_000
# What travels with a prompt.
LABELS = ("prompt_key", "category", "language")


class CannotGenerate(AnnotationError):
    """What was chosen makes no items; the message says why."""


def start_generation(
    *,
    campaign_id: int,
    prompts: Sequence[GivenPrompt],
    models: Sequence[int],
    key: str,
    actor: Person | None,
    now: datetime,
    seed: int | None = None,
    samples: Samples = ONE_EACH,
) -> Generation:
    """Items that wait for their responses, all of them or none; the models are asked little by little from then on.

    `models` are ids of language models, `samples` says how often each is asked, with which settings, and how that
    becomes items. Who answers which prompt is drawn from the seed, which is kept. The same key again is the same
    generation. Raises CannotGenerate, CampaignIsClosed, and what `once` raises.
    """
    asked = sha256("\n".join(given.messages for given in prompts).encode()).hexdigest()
    body = body_hash({"prompts": asked, "models": sorted(models), "samples": repr(samples)})
    with transaction.atomic(), once(key=key, scope=f"generate:{campaign_id}", body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Generation.objects.get(pk=attempt.response["generation"])
        campaign = Campaign.objects.select_for_update(no_key=True, of=["self"]).get(pk=campaign_id)
        refuse_if_closed(campaign)
        asked_of = _models(models)
        plan = samples.plan(prompts=len(prompts), models=len(asked_of), seats=campaign.responses_per_item)
        _refuse_what_makes_no_items(plan)
        contestants = _contestants(asked_of, plan)
        generation = _create(campaign, plan, contestants, new_seed() if seed is None else seed, actor)
        _write(generation, prompts, seat(plan, stream(int(generation.parameters["seed"]), SEATS)))
        attempt.response = {"generation": generation.pk}
        transaction.on_commit(lambda: hint_generation(generation.pk), robust=True)
    return generation


def _refuse_what_makes_no_items(plan: Plan) -> None:
    reason = refusal_of(plan)
    if reason:
        raise CannotGenerate(reason)
    if not 0 < plan.prompts <= MOST_PROMPTS:
        raise CannotGenerate(f"one generation takes 1 to {MOST_PROMPTS:,} prompts, not {plan.prompts:,}")


def _create(campaign: Campaign, plan: Plan, contestants: list[int], seed: int, actor: Person | None) -> Generation:
    generation = Generation.objects.create(
        campaign=campaign,
        kind=GenerationKind.RESPONSES,
        source=campaign.sources.get(kind=SourceKind.LIVE),
        contestants=contestants,
        parameters={
            "seed": str(seed),
            "pairs": "balanced",
            "prompts": plan.prompts,
            "responses": plan.seats,
            "samples": plan.samples,
            "design": plan.design.value,
            "own": plan.own,
            "settings": [each.as_json() for each in plan.settings],
            "items": plan.items,
            "completions": plan.completions,
        },
        created_by=actor,
    )
    data: dict[str, Any] = {"items": plan.items, "contestants": contestants, "seed": str(seed)}
    record_event(subject=generation, verb="started", actor=actor, to_state=generation.state, data=data)
    return generation


def _models(models: Sequence[int]) -> list[LanguageModel]:
    """Those that can be asked, in the order of their ids."""
    found = LanguageModel.objects.filter(pk__in=models, task=Task.TEXT, current__isnull=False)
    found = found.exclude(visibility=Visibility.RETIRED)
    return list(found.select_related("current__language_model").order_by("pk"))


def _contestants(models: Sequence[LanguageModel], plan: Plan) -> list[int]:
    """Of each model's current revision, and of each of the settings where those make contestants of their own."""
    try:
        return [
            enter_contestant(revision=model.serves, settings=settings).pk
            for model in models
            for settings in (plan.drawn_with if plan.own else (AS_THEY_ARE,))
        ]
    except SettingsNameTaken as error:
        raise CannotGenerate(str(error)) from error


def _write(generation: Generation, prompts: Sequence[GivenPrompt], seating: Seating) -> None:
    with connection.cursor() as cursor:
        # Checked with each COPY: put off to the end, every reference would wait in memory.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    writer = Prompts()
    ids = np.concatenate(
        [_prompt_ids(prompts[start : start + BATCH], writer) for start in range(0, len(prompts), BATCH)]
    )
    for start in range(0, len(seating.prompt), BATCH):
        _write_batch(generation, prompts, ids, _part(seating, slice(start, start + BATCH)))


def _part(seating: Seating, rows: slice) -> Seating:
    return Seating(seating.prompt[rows], seating.contestant[rows], seating.sample[rows])


def _write_batch(
    generation: Generation, prompts: Sequence[GivenPrompt], prompt_ids: np.ndarray, seating: Seating
) -> None:
    count, each = seating.contestant.shape
    items = reserve_ids(table=Item._meta.db_table, count=count)
    texts = {name: pa.array([getattr(prompts[place], name) for place in seating.prompt]) for name in LABELS}
    copy_rows(
        table=Item._meta.db_table,
        rows=batch_of(
            count,
            id=items,
            campaign_id=generation.campaign_id,
            source_id=generation.source_id,
            prompt_id=prompt_ids[seating.prompt],
            generation_id=generation.pk,
            flags="{}",
            state=ItemState.FILLING.value,
            purpose=ItemPurpose.WORK.value,
            **texts,
        ),
    )
    rows = batch_of(
        count * each,
        item_id=np.repeat(items, each),
        position=np.tile(np.arange(each), count),
        contestant_id=np.array(generation.contestants, dtype=np.int64)[seating.contestant].ravel(),
        sample=seating.sample.ravel(),
        digest="",
    )
    copy_rows(table=Response._meta.db_table, rows=rows)


def _prompt_ids(prompts: Sequence[GivenPrompt], writer: Prompts) -> np.ndarray:
    """Stored prompts keep their ids, the others are written."""
    ids = np.array([given.prompt or 0 for given in prompts], dtype=np.int64)
    new = [given for given in prompts if given.prompt is None]
    if new:
        batch = pa.record_batch(
            [pa.array([given.messages for given in new]), pa.array([given.language for given in new])],
            names=["prompt", "language"],
        )
        ids[ids == 0] = writer.ids(batch)
    return ids
