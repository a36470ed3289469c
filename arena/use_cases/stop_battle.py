from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from annotation.enums import ImpressionEnd
from arena.enums import BattleState
from arena.errors import ArenaError
from arena.models import Battle
from arena.use_cases.ask_follow_up import lock_battle
from arena.use_cases.end_unanswered import end_unanswered


class NotWriting(ArenaError):
    """Nothing is being written for this turn: its last word came first, or the battle has ended."""


def stop_battle(*, battle_id: UUID, turn_count: int, person: Person, now: datetime, regenerations: int = 0) -> Battle:
    """Its visitor does not want the answers any more: both sides stop within a second, and it can never be voted on.

    A battle that was shown and left counts as abandoned. Refuses NotYourBattle and NotWriting.
    """
    with transaction.atomic():
        battle = lock_battle(battle_id, person)
        asked = (battle.turn_count, battle.regenerations)
        if battle.state != BattleState.ANSWERING or asked != (turn_count, regenerations):
            raise NotWriting(f"the battle is {battle.state}, with {battle.turn_count} turns")
        end_unanswered(
            battle,
            state=BattleState.ABANDONED,
            shown=ImpressionEnd.ABANDONED,
            verb="stopped",
            reason="its visitor stopped the models",
            now=now,
        )
    return battle
