from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Person
from annotation.enums import GenerationState, ItemState
from annotation.models import Generation, Item, Turn
from annotation.queries.generations import failed_turns
from annotation.transitions import GENERATION, ITEM
from annotation.use_cases.advance_generation import hint_generation
from annotation.use_cases.record_event import record_event
from annotation.use_cases.settle_generated import UNFINISHED
from foundation.transitions import check
from inference_workers.dispatch import cancel_completion
from inference_workers.enums import CompletionState
from inference_workers.models import Completion

# In pieces, so that no statement runs into its time limit.
BATCH = 5_000


def pause_generation(*, generation_id: int, actor: Person | None, now: datetime) -> Generation:
    """Ask for nothing more. What a worker has begun is finished and kept, what only waits is asked for later.

    Raises ForbiddenTransition.
    """
    with transaction.atomic():
        generation = _changed(generation_id, GenerationState.PAUSED, "paused", actor)
        written = Turn.objects.filter(response__item__generation=generation).values("completion")
        waiting = Completion.objects.filter(pk__in=written, state=CompletionState.QUEUED)
        # Whoever claims one at this moment keeps it.
        _take_back(list(waiting.select_for_update(of=["self"], skip_locked=True).values_list("pk", flat=True)))
    return generation


def resume_generation(*, generation_id: int, actor: Person | None, now: datetime) -> Generation:
    """Raises ForbiddenTransition."""
    with transaction.atomic():
        generation = _changed(generation_id, GenerationState.RUNNING, "resumed", actor)
        transaction.on_commit(lambda: hint_generation(generation_id), robust=True)
    return generation


def cancel_generation(*, generation_id: int, actor: Person | None, now: datetime, reason: str = "") -> Generation:
    """Give up what is not there yet: its items are void. Those that have their responses stay. Raises
    ForbiddenTransition."""
    with transaction.atomic():
        generation = _changed(generation_id, GenerationState.CANCELLED, "cancelled", actor, reason)
        generation.finished_at, generation.reason = now, reason
        generation.save(update_fields=["finished_at", "reason"])
        unfinished = Completion.objects.filter(turn__response__item__generation=generation, state__in=UNFINISHED)
        ids = list(unfinished.values_list("pk", flat=True).distinct())
        check(ITEM, ItemState.FILLING, ItemState.VOID)
        # Before the completions: whoever settles an item holds it while they look at them.
        while waiting := list(_filling(generation).values_list("pk", flat=True)[:BATCH]):
            Item.objects.filter(pk__in=waiting, state=ItemState.FILLING).update(state=ItemState.VOID)
        for completion_id in ids:
            cancel_completion(completion_id)
    return generation


def retry_generation(
    *, generation_id: int, actor: Person | None, now: datetime, item_id: int | None = None
) -> tuple[Generation, int]:
    """Ask anew for the responses that failed, of one item or of all; returns how many.

    A generation that was done runs again; one that is paused waits. Raises ForbiddenTransition for a cancelled one.
    """
    with transaction.atomic():
        generation = Generation.objects.select_for_update(of=["self"]).get(pk=generation_id)
        failed = failed_turns(generation)
        if item_id is not None:
            # With the other items in which the same completions stand.
            failed = failed.filter(completion__in=failed.filter(response__item=item_id).values("completion"))
        # Whoever settles one of these items at this moment is done first, or comes after.
        items = Item.objects.filter(pk__in=failed.values("response__item")).order_by("pk")
        list(items.select_for_update(of=["self"], no_key=True).values_list("pk", flat=True))
        ids = [(turn.pk, str(turn.completion_id)) for turn in failed]
        if generation.state == GenerationState.CANCELLED:
            check(GENERATION, generation.state, GenerationState.RUNNING)
        if generation.state == GenerationState.DONE and ids:
            generation = _changed(generation_id, GenerationState.RUNNING, "resumed", actor)
            Generation.objects.filter(pk=generation_id).update(finished_at=None)
        Turn.objects.filter(pk__in=[pk for pk, _completion in ids]).delete()
        if ids:
            completions = sorted({completion for _pk, completion in ids})
            data = {"completions": completions[:1000], "count": len(completions)}
            record_event(subject=generation, verb="retried", actor=actor, data=data)
        transaction.on_commit(lambda: hint_generation(generation_id), robust=True)
    return generation, len({completion for _pk, completion in ids})


def _filling(generation: Generation) -> QuerySet[Item]:
    return Item.objects.filter(generation=generation, state=ItemState.FILLING)


def _changed(generation_id: int, to: str, verb: str, actor: Person | None, reason: str = "") -> Generation:
    """Under its lock, in the caller's transaction."""
    generation = Generation.objects.select_for_update(of=["self"]).get(pk=generation_id)
    check(GENERATION, generation.state, to)
    before, generation.state = generation.state, to
    generation.save(update_fields=["state"])
    record_event(subject=generation, verb=verb, actor=actor, from_state=before, to_state=to, reason=reason)
    return generation


def _take_back(completion_ids: list[UUID]) -> None:
    """The responses wait as if they had never been asked for."""
    Turn.objects.filter(completion__in=completion_ids).delete()
    for completion_id in completion_ids:
        cancel_completion(completion_id)
