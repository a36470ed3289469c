from uuid import UUID

from django.db import transaction

from accounts.models import Person
from annotation.enums import RespondentState
from annotation.models import Turn
from annotation.use_cases.record_reaction import record_reaction
from arena.errors import ArenaError
from arena.models import Battle
from arena.use_cases.ask_follow_up import lock_battle
from arena.use_cases.start_battle import gone
from inference_workers.enums import CompletionState


class NotShown(ArenaError):
    """There is no such answer on this battle's page, or not yet on all sides."""


def react(*, battle_id: UUID, number: int, place: int, kind: str, is_set: bool, person: Person) -> bool:
    """Say something of one answer, or take it back; before the vote or after it. False where it stood like that.

    `number` is the turn, `place` the side as shown, 0 for A. Refuses NotYourBattle, VisitorGone, NotShown and
    TooManyReactions.
    """
    with transaction.atomic():
        battle = lock_battle(battle_id, person)
        respondent = battle.assignment.respondent
        if respondent.state != RespondentState.ACTIVE:
            raise gone(respondent.state)
        turn = _shown(battle, number, place)
        return record_reaction(respondent=respondent, turn=turn, kind=kind, is_set=is_set)


def _shown(battle: Battle, number: int, place: int) -> Turn:
    """An answer is shown once all sides have theirs, as on the page."""
    order = battle.impression.order
    turns = Turn.objects.filter(response__item=battle.item, number=number).select_related("completion", "response")
    by_position = {turn.response.position: turn for turn in turns if turn.job.state == CompletionState.SUCCEEDED}
    if not battle.shows(number) or not 0 <= place < len(order) or by_position.keys() != set(order):
        raise NotShown(f"no answer {place} to turn {number} is shown")
    return by_position[order[place]]
