from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from annotation.models import Judgment
from annotation.use_cases.submit_judgment import NO_PROCESS, Process, submit_judgment
from arena.enums import BattleState
from arena.errors import ArenaError
from arena.transitions import BATTLE
from arena.use_cases.ask_follow_up import lock_battle
from foundation.transitions import check


class StaleTurn(ArenaError):
    """The form was made before the last follow-up; the battle has moved on in another tab."""


def cast_vote(
    *,
    battle_id: UUID,
    turn_count: int,
    person: Person,
    key: str,
    answers: Mapping[str, Any],
    now: datetime,
    process: Process = NO_PROCESS,
) -> Judgment:
    """Write a visitor's judgment of a battle, once per `key`, and end the battle with it.

    Refuses NotYourBattle and StaleTurn, and what submit_judgment refuses: a battle that is answering, void or left is
    not open, so that a half battle is never votable.
    """
    with transaction.atomic():
        battle = lock_battle(battle_id, person)
        if turn_count != battle.turn_count:
            raise StaleTurn(f"the battle has {battle.turn_count} turns, the form knew {turn_count}")
        judgment = submit_judgment(
            assignment_id=battle.assignment_id,
            lease_token=battle.assignment.lease_token,
            key=key,
            respondent=battle.assignment.respondent,
            answers=answers,
            process=process,
            now=now,
        )
        if battle.state != BattleState.VOTED:
            check(BATTLE, battle.state, BattleState.VOTED)
            battle.state, battle.ended_at = BattleState.VOTED, now
            battle.save(update_fields=["state", "ended_at"])
    return judgment
