from datetime import datetime

from annotation.enums import AssignmentState, ImpressionEnd, ItemState, SlotState
from annotation.models import ImpressionEvent
from annotation.transitions import ASSIGNMENT, ITEM, SLOT
from annotation.use_cases.record_event import record_event
from arena.enums import BattleState
from arena.models import Battle
from arena.transitions import BATTLE
from foundation.transitions import check
from inference_workers.dispatch import cancel_completion
from inference_workers.enums import CompletionState
from inference_workers.models import Completion


def end_unanswered(
    battle: Battle, *, state: BattleState, shown: ImpressionEnd, verb: str, reason: str, now: datetime
) -> None:
    """End a battle that can never be voted on; the caller holds its lock. Nobody goes on writing for it."""
    check(BATTLE, battle.state, state)
    battle.state, battle.ended_at = state, now
    battle.save(update_fields=["state", "ended_at"])
    void_battles_item(battle)
    _end_assignment(battle, shown, now)
    record_event(subject=battle, verb=verb, actor=None, to_state=state, reason=reason)
    unfinished = Completion.objects.filter(
        turn__response__item=battle.item, state__in=[CompletionState.QUEUED, CompletionState.RUNNING]
    )
    for completion_id in unfinished.values_list("pk", flat=True):
        cancel_completion(completion_id)


def void_battles_item(battle: Battle) -> None:
    """Nobody else is asked about what one visitor's battle held. An admin may have taken it out before."""
    if battle.item.state == ItemState.VOID:
        return
    check(ITEM, battle.item.state, ItemState.VOID)
    battle.item.state = ItemState.VOID
    battle.item.save(update_fields=["state"])


def _end_assignment(battle: Battle, shown: ImpressionEnd, now: datetime) -> None:
    """Nothing where it has ended: the visitor's time ran out, or they were blocked or withdrew."""
    assignment, slot = battle.assignment, battle.assignment.slot
    if assignment.state != AssignmentState.OPEN:
        return
    check(ASSIGNMENT, assignment.state, AssignmentState.CANCELLED)
    check(SLOT, slot.state, SlotState.CANCELLED)
    assignment.state, assignment.ended_at = AssignmentState.CANCELLED, now
    assignment.save(update_fields=["state", "ended_at"])
    slot.state = SlotState.CANCELLED
    slot.save(update_fields=["state"])
    ImpressionEvent.objects.create(impression=battle.impression, kind=shown)
