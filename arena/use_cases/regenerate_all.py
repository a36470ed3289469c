from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from annotation.enums import TurnKind
from annotation.models import EarlierTurn, Turn
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.models import Battle
from arena.use_cases.ask_follow_up import ask_again, lock_battle, refuse_if_left, refuse_unless_votable
from arena.use_cases.ask_models import ask_one
from arena.use_cases.demand_work import work_done
from arena.use_cases.refuse_flood import refuse_when_busy
from arena.use_cases.start_battle import refuse_unless_open
from foundation.idempotency import body_hash, once


class OtherAnswers(ArenaError):
    """The form was made beside other answers than those that stand; the battle has moved on in another tab."""


class NoMoreTries(ArenaError):
    """The turn was answered anew as often as the arena allows."""


def regenerate_all(
    *, battle_id: UUID, turn_count: int, regenerations: int, person: Person, key: str, now: datetime, work: str = ""
) -> Battle:
    """Ask all sides anew for the current turn, once per `key`; never one side alone.

    What they said before is kept, and what a vote is about is what they say last. Refuses NotYourBattle, ArenaClosed,
    VisitorGone, NotReady, OtherAnswers, NoMoreTries, TooBusy and WorkWanted, which `work` answers.
    """
    body = body_hash({"battle": str(battle_id), "turn": turn_count, "regenerations": regenerations})
    with transaction.atomic(), once(key=key, scope=f"battle:{person.pk}", body_hash=body, now=now) as attempt:
        battle = lock_battle(battle_id, person)
        if attempt.replayed:
            return battle
        refuse_unless_open(battle.arena.campaign)
        refuse_if_left(battle, now)
        refuse_unless_votable(battle)
        if (turn_count, regenerations) != (battle.turn_count, battle.regenerations):
            raise OtherAnswers(f"turn {battle.turn_count} was asked anew {battle.regenerations} times")
        turns = list(Turn.objects.filter(response__item=battle.item, number=battle.turn_count - 1).order_by("response"))
        if any(turn.regenerations >= battle.arena.max_regenerations for turn in turns):
            raise NoMoreTries(f"a turn is answered anew at most {battle.arena.max_regenerations} times")
        refuse_when_busy(battle.arena)
        with work_done(arena=battle.arena, person=person, work=work, key=key, now=now):
            for turn in turns:
                _ask_anew(battle, turn, person)
        battle.regenerations += 1
        ask_again(battle)
        record_event(subject=battle, verb="regenerated", actor=None, data={"turn": battle.turn_count})
        attempt.response = {"regenerations": battle.regenerations}
    return battle


def _ask_anew(battle: Battle, turn: Turn, person: Person) -> None:
    EarlierTurn.objects.create(turn=turn, number=turn.regenerations, completion=turn.job)
    turn.completion = ask_one(battle=battle, response=turn.response, turn=turn.number, person=person)
    turn.kind, turn.file = TurnKind.COMPLETION, ""
    turn.regenerations, turn.replacements = turn.regenerations + 1, 0
    turn.save(update_fields=["kind", "file", "completion", "regenerations", "replacements"])
