from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from annotation.enums import CampaignState, GenerationKind, GenerationState, ItemState, TurnKind
from annotation.models import Generation, Item, Response, Turn
from annotation.policies.samples import AS_THEY_ARE, Settings
from annotation.selection.draws import new_seed
from annotation.transitions import GENERATION
from annotation.use_cases.record_event import record_event
from annotation.use_cases.settle_generated import settle_generated
from foundation.transitions import check
from inference_workers.dispatch import InvalidMessages, request_completion
from inference_workers.enums import Priority

log = structlog.get_logger(__name__)
ADVANCE = "annotation.advance_generation"
NOTE = "annotation.note_generated"
# The sweeper hints again as often.
HINT_SECONDS = 10
# Completions of one generation that wait or run at once: enough to keep workers busy, few enough to stop at once.
MOST_OUTSTANDING = 48
# Items that something happened to which nobody took note of: all responses are there, or one failed for the first
# time.
UNSETTLED = """
SELECT i.id FROM annotation_item i
JOIN annotation_response r ON r.item_id = i.id
LEFT JOIN annotation_turn t ON t.response_id = r.id
LEFT JOIN inference_workers_completion c ON c.id = t.completion_id
WHERE i.generation_id = %(generation)s AND i.state = 'filling'
GROUP BY i.id
HAVING bool_and(coalesce(c.state, '') = 'succeeded')
    OR bool_or(c.state IN ('failed', 'cancelled') AND t.replacements < 1)
LIMIT 1000
"""
# In no order, which would sort all that wait for the sake of the next few; an item's responses come together.
WAITING = """
SELECT r.id FROM annotation_item i JOIN annotation_response r ON r.item_id = i.id
WHERE i.generation_id = %(generation)s AND i.state = 'filling'
    AND NOT EXISTS (SELECT 1 FROM annotation_turn t WHERE t.response_id = r.id)
LIMIT %(limit)s
"""
# Each state has an index of its own.
OUTSTANDING = """
SELECT count(*) FROM (
    SELECT id FROM inference_workers_completion WHERE state = 'queued'
    UNION ALL SELECT id FROM inference_workers_completion WHERE state = 'running'
) c
WHERE EXISTS (
    SELECT 1 FROM annotation_turn t
    JOIN annotation_response r ON r.id = t.response_id
    JOIN annotation_item i ON i.id = r.item_id
    WHERE t.completion_id = c.id AND i.generation_id = %(generation)s
)
"""


def advance_generation(*, generation_id: int, now: datetime) -> int:
    """Take note of what was written, ask for what comes next, and end a generation that has nothing to wait for.

    Returns how many completions were asked for. While somebody else advances it, nothing is done. At most
    MOST_OUTSTANDING completions wait or run at once, so that a pause holds at once.
    """
    generation = Generation.objects.filter(pk=generation_id, kind=GenerationKind.RESPONSES).first()
    if generation is None or generation.state != GenerationState.RUNNING:
        return 0
    for item_id in _ids(UNSETTLED, generation_id):
        settle_generated(item_id=item_id, now=now)
    return _ask_more(generation_id, now)


def note_generated(*, item_id: int, now: datetime) -> int:
    """A completion of this item ended: settle the item, and ask for what comes next. Returns how many were asked for.

    A hint comes with every completion, so nothing is searched for here; what was missed is the sweeper's.
    """
    settle_generated(item_id=item_id, now=now)
    generation_id = Item.objects.filter(pk=item_id).values_list("generation_id", flat=True).first()
    return 0 if generation_id is None else _ask_more(generation_id, now)


def hint_generation(generation_id: int) -> None:
    """Tell a worker that there is something to do. Only a hint: the sweeper finds what nobody was told of."""
    _hint(ADVANCE, generation_id)


def hint_item(item_id: int) -> None:
    """The same, of one item of which a completion ended."""
    _hint(NOTE, item_id)


def _hint(task: str, pk: int) -> None:
    try:
        current_app.signature(task, args=[pk]).apply_async(expires=HINT_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("generation_hint_not_sent", task=task, pk=pk, reason=str(error))


def _ask_more(generation_id: int, now: datetime) -> int:
    with transaction.atomic():
        generation = (
            Generation.objects.select_for_update(of=["self"], skip_locked=True)
            .select_related("campaign")
            .filter(pk=generation_id, state=GenerationState.RUNNING)
            .first()
        )
        if generation is None or generation.campaign.state == CampaignState.CLOSED:
            return 0
        (outstanding,) = _ids(OUTSTANDING, generation_id)
        asked = _ask(generation, _ids(WAITING, generation_id, limit=max(MOST_OUTSTANDING - outstanding, 0)))
        # Looked at after nothing was outstanding any more: the last to end may not have been taken note of.
        if not (outstanding or asked or _ids(WAITING, generation_id, limit=1) or _ids(UNSETTLED, generation_id)):
            end_generation(generation, now)
    return asked


def _ids(statement: str, generation_id: int, **values: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"generation": generation_id, **values})
        return [pk for (pk,) in cursor.fetchall()]


def _ask(generation: Generation, response_ids: Sequence[int]) -> int:
    """One completion for all the items of the generation in which the same sample stands; how many were asked for."""
    waiting = Response.objects.filter(pk__in=response_ids).select_related("item__prompt", "contestant__revision")
    wanted = {_sample_of(response): response for response in waiting.order_by("-item_id", "-position")}
    beside = _beside(generation, wanted)
    for sample, response in reversed(wanted.items()):
        if response.contestant is None or response.item.prompt is None:
            raise InvalidMessages(f"response {response.pk} has nobody to write it, or nothing is asked")
        settings = settings_of(generation, response)
        completion = request_completion(
            revision=response.contestant.served,
            messages=response.item.prompt.messages or [],
            person=None,
            priority=Priority.BATCH,
            seed=seed_of(generation, settings, response.sample),
            sampling=settings.sampling,
        )
        Turn.objects.bulk_create(
            Turn(response_id=pk, number=0, kind=TurnKind.COMPLETION, completion=completion) for pk in beside[sample]
        )
    return len(wanted)


def _sample_of(response: Response) -> tuple[int | None, int | None, int]:
    return (response.item.prompt_id, response.contestant_id, response.sample)


def _beside(generation: Generation, wanted: Mapping[Any, Response]) -> Mapping[Any, list[int]]:
    """The responses that wait for each of these samples."""
    found: dict[Any, list[int]] = defaultdict(list)
    waiting = Response.objects.filter(
        item__generation=generation,
        item__state=ItemState.FILLING,
        item__prompt__in={response.item.prompt_id for response in wanted.values()},
        turns__isnull=True,
    )
    for response in waiting.select_related("item").order_by("pk"):
        found[_sample_of(response)].append(response.pk)
    return found


def settings_of(generation: Generation, response: Response) -> Settings:
    """What this response is drawn with."""
    settings = [Settings.from_json(kept) for kept in generation.parameters.get("settings", [])]
    if not settings or response.contestant is None:
        return AS_THEY_ARE
    if generation.parameters["own"]:
        # By what they are: the contestant may have got its name from an earlier generation.
        return next(each for each in settings if each.sampling == (response.contestant.sampling or {}))
    return settings[response.sample // int(generation.parameters["samples"])]


def seed_of(generation: Generation, settings: Settings, sample: int) -> int:
    """Drawn, where the settings name no seed to count from."""
    if settings.seed_base is None:
        return new_seed()
    return settings.seed_base + sample % int(generation.parameters["samples"])


def end_generation(generation: Generation, now: datetime) -> None:
    """In the caller's transaction, under the generation's lock. Items whose responses failed twice stay as they are."""
    check(GENERATION, generation.state, GenerationState.DONE)
    before, generation.state, generation.finished_at = generation.state, GenerationState.DONE, now
    generation.save(update_fields=["state", "finished_at"])
    failed = generation.items.filter(state=ItemState.FILLING).count()
    record_event(
        subject=generation,
        verb="ended",
        actor=None,
        from_state=before,
        to_state=generation.state,
        data={"items_without_responses": failed},
    )
