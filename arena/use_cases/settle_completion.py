from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts.models import Person
from annotation.enums import ImpressionEnd, ItemState
from annotation.models import Response, Turn
from annotation.transitions import ITEM
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_file import take_file
from arena.enums import BattleState, ModerationState
from arena.lockstep import opening
from arena.models import Battle
from arena.queries.moderation import battles_of_measure
from arena.queries.tempo import common_tempo
from arena.transitions import BATTLE
from arena.use_cases.ask_models import ask_one, read_completion
from arena.use_cases.end_unanswered import end_unanswered
from arena.use_cases.hold_to_rules import note_answer
from arena.use_cases.moderate_answers import moderate_answers
from foundation.encryption import blind_digest
from foundation.transitions import check
from inference_workers.enums import CompletionState, Output, Rejection, Task
from inference_workers.models import OutboxEntry


def settle_completion(*, completion_id: UUID, now: datetime) -> Battle | None:
    """Take note, once, that a completion ended: say when its battle opens, replace the completion, or void all. The
    end of a measure is one too, where an answer waits for what a moderation model says.

    Safe to call again, late, or for a completion of no battle; the outbox row says what has been handled.
    """
    with transaction.atomic():
        unhandled = OutboxEntry.objects.filter(completion=completion_id, handled_at=None)
        entry = unhandled.select_for_update(of=["self"]).annotate(task=F("completion__task")).first()
        if entry is None:
            return None
        battle = _locked(item__responses__turns__completion=completion_id)
        if battle is not None and battle.state == BattleState.ANSWERING:
            _settle(battle, completion_id, now)
        if battle is None and entry.task != Task.TEXT:
            for waiting in battles_of_measure(completion_id):
                settle_checks(battle_id=waiting, now=now)
        entry.handled_at = now
        entry.save(update_fields=["handled_at"])
    return battle


def settle_checks(*, battle_id: UUID, now: datetime) -> None:
    """Take note that the moderation model has said something of a battle's answers, or that nobody waits for it any
    longer. Safe to call again."""
    with transaction.atomic():
        battle = _locked(pk=battle_id)
        if battle is not None and battle.state == BattleState.ANSWERING and not _is_over(battle, now):
            _go_on(battle, _turns(battle), now)


def _locked(**which: Any) -> Battle | None:
    related = ("arena", "item", "assignment__slot", "assignment__respondent__person", "impression")
    return Battle.objects.select_for_update(of=["self"]).select_related(*related).filter(**which).first()


def _turns(battle: Battle) -> list[Turn]:
    of = Turn.objects.filter(response__item=battle.item, number=battle.turn_count - 1)
    return list(of.select_related("completion__file", "response__contestant__revision").order_by("pk"))


def _is_over(battle: Battle, now: datetime) -> bool:
    if battle.item.state == ItemState.VOID:
        void_battle(battle, reason="its item was taken out", now=now)
        return True
    if visitor_of(battle).erased_at is not None:
        # Nobody can read it any more, nor anything be written under their key.
        void_battle(battle, reason="its visitor was erased", now=now)
        return True
    return False


def _settle(battle: Battle, completion_id: UUID, now: datetime) -> None:
    if _is_over(battle, now):
        return
    turns = _turns(battle)
    ended = next((turn for turn in turns if turn.completion_id == completion_id), None)
    if ended is None:
        return
    note_answer(battle, ended, now)
    if ended.job.state != CompletionState.SUCCEEDED:
        _replace_or_void(battle, ended, ended.job.error_code, now)
    else:
        _go_on(battle, turns, now)


def _go_on(battle: Battle, turns: Sequence[Turn], now: datetime) -> None:
    """What is whole is shown to the arena's moderation model, if it has one; when all is, and was let through, the
    battle has its hour. An answer that the model stops is one that failed."""
    whole = [turn for turn in turns if turn.job.state == CompletionState.SUCCEEDED]
    said = moderate_answers(battle, whole, now)
    states = {pk: row.state for pk, row in said.items()}
    if ModerationState.HELD_BACK in states.values():
        void_battle(battle, reason="the moderation model did not answer", now=now)
        return
    stopped = [turn for turn in whole if states.get(turn.job.pk) == ModerationState.STOPPED]
    for turn in stopped:
        if battle.state == BattleState.ANSWERING:
            _replace_or_void(battle, turn, Rejection.MODERATED, now)
    if not stopped and len(whole) == len(turns) and ModerationState.ASKED not in states.values():
        _set_hour(battle, turns, held=bool(said), now=now)


def _replace_or_void(battle: Battle, turn: Turn, why: str, now: datetime) -> None:
    """The same contestant gets one more try; a second failure voids the battle, whichever side it was."""
    if turn.replacements >= 1:
        void_battle(battle, reason=f"completion failed twice: {why}", now=now)
        return
    failed = turn.job
    turn.completion = ask_one(battle=battle, response=turn.response, turn=turn.number, person=visitor_of(battle))
    turn.replacements += 1
    turn.save(update_fields=["completion", "replacements"])
    record_event(
        subject=turn,
        verb="completion_replaced",
        actor=None,
        reason=why,
        data={"failed": str(failed.pk), "replacement": str(turn.completion_id)},
    )


def visitor_of(battle: Battle) -> Person:
    person = battle.assignment.respondent.person
    if person is None:
        raise ValueError(f"battle {battle.pk} has no visitor")
    return person


def _set_hour(battle: Battle, turns: Sequence[Turn], *, held: bool, now: datetime) -> None:
    """Its answers are whole: say when they may be read. Held back texts and files have flowed to nobody before."""
    flowing = not held and battle.arena.output == Output.TEXT
    lengths = [len(read_completion(turn.job)) for turn in turns] if flowing else []
    asked = min(turn.job.created_at for turn in turns)
    whole = (now - asked).total_seconds()
    battle.opens_at = asked + timedelta(seconds=opening(common_tempo(battle.arena_id), lengths, whole))
    battle.save(update_fields=["opens_at"])


def open_battle(*, battle_id: UUID, now: datetime) -> None:
    """Open a battle for its vote, if its answers are whole and it is time that they may be read. Safe to call again.

    Whoever looks at it next calls this, and the sweep: nothing that a visitor can ask for tells when they were whole.
    """
    with transaction.atomic():
        battle = _locked(pk=battle_id)
        if battle is not None and is_due(battle, now) and not _is_over(battle, now):
            _open_for_vote(battle, now)


def is_due(battle: Battle, now: datetime) -> bool:
    return battle.state == BattleState.ANSWERING and battle.opens_at is not None and battle.opens_at <= now


def _open_for_vote(battle: Battle, now: datetime) -> None:
    check(BATTLE, battle.state, BattleState.VOTABLE)
    check(ITEM, battle.item.state, ItemState.OPEN)
    for turn in _turns(battle):
        take_file(turn=turn, campaign_id=battle.item.campaign_id, now=now)
    for response in battle.item.responses.all():
        response.digest = response_digest(response)
        response.save(update_fields=["digest"])
    battle.item.state = ItemState.OPEN
    battle.item.save(update_fields=["state"])
    battle.state, battle.answered_at = BattleState.VOTABLE, battle.opens_at
    battle.save(update_fields=["state", "answered_at"])


def response_digest(response: Response) -> str:
    """Keyed digest over the response's turns in order, so that what was judged can be checked later."""
    whole = sha256()
    for turn in response.turns.select_related("completion__file").order_by("number"):
        whole.update(sha256(read_completion(turn.job).encode()).digest())
        if turn.file:
            whole.update(sha256(turn.job.file.sha256.encode()).digest())
    return blind_digest(whole.digest(), purpose="response")


def void_battle(battle: Battle, *, reason: str, now: datetime) -> None:
    """End a battle whose models did not answer; the caller holds its lock."""
    end_unanswered(battle, state=BattleState.VOID, shown=ImpressionEnd.VOIDED, verb="voided", reason=reason, now=now)
