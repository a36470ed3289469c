from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from annotation.enums import RespondentState
from annotation.models import Judgment, Respondent
from annotation.questions.base import side_letter
from annotation.use_cases.submit_judgment import NO_PROCESS, Process, submit_in_transaction
from arena.enums import BattleState, JudgedText
from arena.errors import ArenaError
from arena.models import Battle
from arena.queries.files import place_of_file
from arena.transitions import BATTLE
from arena.use_cases.ask_follow_up import NotYourBattle
from arena.use_cases.hold_to_rules import Held, hold_to_rules, note_hits
from arena.use_cases.show_models import reveal_held
from arena.use_cases.start_battle import gone
from foundation.database import planned_cursor
from foundation.transitions import check


class NotLoaded(ArenaError):
    """The visitor's browser has not been sent all the pictures that the vote is about."""


class StaleTurn(ArenaError):
    """The form was made for other answers: the battle was asked further, or anew, in another tab."""


# As much of a battle as a vote needs, in the order of Locked: votes are what must be cheap.
LOCK = """
SELECT b.state, b.turn_count, b.regenerations, b.first_id, a.id, a.lease_token, a.respondent_id, r.state,
    b.files_sent, CASE n.output WHEN 'image' THEN cardinality(m."order") ELSE 0 END
FROM arena_battle b
JOIN arena_arena n ON n.id = b.arena_id
JOIN annotation_impression m ON m.id = b.impression_id
JOIN annotation_assignment a ON a.id = b.assignment_id
JOIN annotation_respondent r ON r.id = a.respondent_id
WHERE b.id = %(battle)s AND r.person_id = %(person)s
FOR UPDATE OF b
"""
END = "UPDATE arena_battle SET state = %(to)s, ended_at = %(now)s WHERE id = %(battle)s"


@dataclass(frozen=True)
class Locked:
    """A visitor's battle under lock."""

    state: str
    turn_count: int
    regenerations: int
    first_id: UUID | None
    assignment_id: int
    lease_token: UUID
    respondent_id: int
    visitor_state: str
    files_sent: Sequence[str]
    pictures: int  # sides whose pictures must have been sent


def cast_vote(
    *,
    battle_id: UUID,
    turn_count: int,
    person: Person,
    key: str,
    answers: Mapping[str, Any],
    now: datetime,
    process: Process = NO_PROCESS,
    regenerations: int = 0,
    goes_on: bool = False,
    words: Sequence[str] = (),
) -> Judgment:
    """Write a visitor's judgment of a battle, once per `key`, and end the battle with it. Who goes on is not told the
    models before `show_models`. `words` is what of the answers they wrote in their own, held to the house rules.

    Refuses NotYourBattle, HouseRuleBroken, VisitorGone, StaleTurn and NotLoaded, and what submit_judgment refuses: a
    battle that is answering, void or left is not open, so that a half battle is never votable.
    """
    held = _hold(battle_id, person, words, now) if words else None
    with transaction.atomic():
        battle = _lock(battle_id, person)
        _refuse_other(battle, turn_count, regenerations)
        refuse_unloaded(battle)
        judgment = submit_in_transaction(
            assignment_id=battle.assignment_id,
            lease_token=battle.lease_token,
            key=key,
            respondent=Respondent(pk=battle.respondent_id, person=person),
            answers=answers,
            process=process,
            now=now,
        )
        if battle.state not in (BattleState.VOTED, BattleState.HELD):
            _end(battle_id, battle, goes_on=goes_on, now=now)
            if held is not None:
                note_hits(held, battle=_about(battle_id, person), about=JudgedText.WORDS, now=now)
    return judgment


def _refuse_other(battle: Locked, turn_count: int, regenerations: int) -> None:
    if battle.visitor_state != RespondentState.ACTIVE:
        raise gone(battle.visitor_state)
    if (turn_count, regenerations) != (battle.turn_count, battle.regenerations):
        raise StaleTurn(f"the battle has {battle.turn_count} turns, the form knew {turn_count}")


def refuse_unloaded(battle: Locked) -> None:
    """Raises NotLoaded. What must be played is known to `submit_judgment`."""
    wanted = [
        place_of_file(side_letter(side), battle.turn_count - 1, battle.regenerations) for side in range(battle.pictures)
    ]
    if missing := [place for place in wanted if place not in battle.files_sent]:
        raise NotLoaded(f"not sent yet: {', '.join(missing)}")


def _end(battle_id: UUID, battle: Locked, *, goes_on: bool, now: datetime) -> None:
    to = BattleState.HELD if goes_on else BattleState.VOTED
    check(BATTLE, battle.state, to)
    with planned_cursor() as cursor:
        cursor.execute(END, {"battle": battle_id, "to": to.value, "now": now})
    if not goes_on and battle.first_id is not None:
        reveal_held(battle.first_id)


def _hold(battle_id: UUID, person: Person, words: Sequence[str], now: datetime) -> Held:
    """Before the transaction, so that a refusal is noted."""
    battle = _about(battle_id, person)
    return hold_to_rules(words, arena=battle.arena, person=person, about=JudgedText.WORDS, now=now, battle=battle)


def _about(battle_id: UUID, person: Person) -> Battle:
    mine = Battle.objects.select_related("arena", "assignment__respondent")
    battle = mine.filter(pk=battle_id, assignment__respondent__person=person).first()
    if battle is None:
        raise NotYourBattle("no such battle of this visitor")
    return battle


def _lock(battle_id: UUID, person: Person) -> Locked:
    with planned_cursor() as cursor:
        cursor.execute(LOCK, {"battle": battle_id, "person": person.pk})
        row = cursor.fetchone()
    if row is None:
        raise NotYourBattle("no such battle of this visitor")
    return Locked(*row)
