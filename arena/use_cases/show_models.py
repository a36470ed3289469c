from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import Person
from annotation.enums import ImpressionEnd
from annotation.use_cases.record_event import record_event
from arena.enums import BattleState
from arena.errors import ArenaError
from arena.models import Battle
from arena.transitions import BATTLE
from arena.use_cases.ask_follow_up import NotYourBattle
from arena.use_cases.end_unanswered import end_unanswered
from foundation.transitions import check

OPEN = (BattleState.ANSWERING, BattleState.VOTABLE)


class NothingHeld(ArenaError):
    """The conversation has no vote whose models are hidden: before a vote nobody is told, and after it all are."""


class StillMoving(ArenaError):
    """The conversation went on in another tab while it was being ended; look again."""


def show_models(*, battle_id: UUID, person: Person, now: datetime) -> Battle:
    """End a conversation that went on after a vote, and let its visitor read who answered. What is open of it is left
    without a vote; what was voted on stays as it is. Returns the last battle that was voted on.

    Refuses NotYourBattle, NothingHeld and StillMoving.
    """
    with transaction.atomic():
        parts = _hold(battle_id, person)
        held = [part for part in parts if part.state == BattleState.HELD]
        if not held:
            raise NothingHeld("no vote of this conversation has hidden models")
        if parts[0].state in OPEN:
            end_unanswered(
                parts[0],
                state=BattleState.ABANDONED,
                shown=ImpressionEnd.ABANDONED,
                verb="left",
                reason="its visitor had the models shown",
                now=now,
            )
        reveal_held(held[0].first_id or held[0].pk)
        record_event(subject=held[0], verb="models_shown", actor=None)
    return held[0]


def reveal_held(first_id: UUID) -> None:
    """Every voted part of a conversation tells its models; the caller holds its last part."""
    check(BATTLE, BattleState.HELD, BattleState.VOTED)
    Battle.objects.filter(Q(pk=first_id) | Q(first=first_id), state=BattleState.HELD).update(state=BattleState.VOTED)


def _hold(battle_id: UUID, person: Person) -> list[Battle]:
    """All parts under lock, the last first: a vote holds the last part before it touches the others."""
    mine = Battle.objects.filter(assignment__respondent__person=person)
    found = mine.filter(pk=battle_id).first()
    if found is None:
        raise NotYourBattle("no such battle of this visitor")
    parts = mine.filter(Q(pk=found.first_id or found.pk) | Q(first=found.first_id or found.pk))
    related = ("item", "assignment__slot", "impression")
    held = list(parts.select_for_update(of=["self"]).select_related(*related).order_by("-turns_before"))
    if Battle.objects.filter(continues=held[0]).exists():
        raise StillMoving("another part has come")
    return held
