from datetime import datetime

from django.db import connection, transaction

from annotation.enums import GenerationState, ItemState
from annotation.models import Item, Turn
from annotation.selection.draws import new_seed
from annotation.transitions import ITEM
from annotation.use_cases.open_slots import open_slots
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_file import take_file
from foundation.transitions import check
from inference_workers.dispatch import request_completion
from inference_workers.enums import CompletionState, Priority
from inference_workers.models import Completion

UNFINISHED = (CompletionState.QUEUED, CompletionState.RUNNING)
# As in battles: a contestant gets one more try by itself.
MOST_REPLACEMENTS = 1
# Shared with whoever opens another item at this moment, but not with whoever changes the overlap.
WANTED = "SELECT overlap FROM annotation_campaign WHERE id = %s FOR SHARE"


def settle_generated(*, item_id: int, now: datetime) -> bool:
    """Look at an item that waits for its responses: open it if all are there, ask anew what failed for the first time.

    Says whether it opened. Safe to call at any time and for any item: what is there to do is read from the rows.
    """
    with transaction.atomic():
        item = (
            Item.objects.select_for_update(of=["self"], no_key=True)
            .select_related("generation")
            .filter(pk=item_id, state=ItemState.FILLING, generation__isnull=False)
            .first()
        )
        if item is None or item.generation is None:
            return False
        turns = list(
            Turn.objects.filter(response__item=item).select_related(
                "completion__file", "response__contestant__revision"
            )
        )
        if item.generation.state == GenerationState.RUNNING:
            for turn in turns:
                if has_failed(turn) and turn.replacements < MOST_REPLACEMENTS:
                    _replace(turn)
        written = sum(turn.job.state == CompletionState.SUCCEEDED for turn in turns)
        if written < item.responses.count():
            return False
        for turn in turns:
            take_file(turn=turn, campaign_id=item.campaign_id, now=now)
        _open(item)
    return True


def has_failed(turn: Turn) -> bool:
    return turn.job.state in {CompletionState.FAILED, CompletionState.CANCELLED}


def _replace(turn: Turn) -> None:
    """In all the items in which it stands. Whoever settles another of them at this moment is done first, or finds it
    replaced."""
    failed = Completion.objects.select_for_update(of=["self"]).select_related("revision").get(pk=turn.job.pk)
    turn.refresh_from_db(fields=["completion", "replacements"])
    if turn.completion_id != failed.pk:
        return
    turn.completion = request_completion(
        revision=failed.revision,
        messages=failed.messages or [],
        person=None,
        priority=Priority.BATCH,
        seed=new_seed(),
        sampling=failed.sampling,
    )
    turn.replacements += 1
    shared = list(Turn.objects.filter(completion=failed))
    Turn.objects.filter(completion=failed).update(completion=turn.completion, replacements=turn.replacements)
    for each in shared:
        record_event(
            subject=each,
            verb="completion_replaced",
            actor=None,
            reason=failed.error_code,
            data={"failed": str(failed.pk), "replacement": str(turn.completion_id)},
        )


def _open(item: Item) -> None:
    """Nobody is shown an item before this; its slots come with it."""
    check(ITEM, item.state, ItemState.OPEN)
    item.state = ItemState.OPEN
    item.save(update_fields=["state"])
    with connection.cursor() as cursor:
        cursor.execute(WANTED, [item.campaign_id])
        (overlap,) = cursor.fetchone()
    open_slots(items=[item.pk], count=overlap)
