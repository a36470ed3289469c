"""How long a battle has waited, and for whom."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Min, Q
from django.utils import timezone

from accounts.models import Person
from annotation.models import Turn
from arena.enums import BattleState
from arena.models import Battle
from inference_workers.enums import CompletionState, Priority
from inference_workers.models import Completion


@dataclass(frozen=True)
class Wait:
    """How long a battle's turn has waited, and how many battles stand before it. Of all sides together, because the
    one that has answered already would name the faster model."""

    seconds: int
    ahead: int


def wait_of(battle_id: UUID, *, person: Person) -> Wait | None:
    """None where this person has no such battle, or nothing is waited for."""
    battle = Battle.objects.filter(
        pk=battle_id, assignment__respondent__person=person, state=BattleState.ANSWERING
    ).first()
    if battle is None:
        return None
    jobs = Completion.objects.filter(turn__response__item=battle.item_id, turn__number=battle.turn_count - 1)
    asked_at, queued_at = jobs.aggregate(
        asked=Min("created_at"), queued=Min("created_at", filter=Q(state=CompletionState.QUEUED))
    ).values()
    seconds = max(0, int((timezone.now() - asked_at).total_seconds()))
    if queued_at is None:
        return Wait(seconds, ahead=0)
    # Batches let visitors go first, and another endpoint's queue keeps nobody waiting.
    before = Turn.objects.filter(
        completion__state=CompletionState.QUEUED,
        completion__priority=Priority.VISITOR,
        completion__created_at__lt=queued_at,
        completion__revision__endpoint__in=jobs.filter(state=CompletionState.QUEUED).values("revision__endpoint"),
    )
    others = before.exclude(response__item=battle.item_id).values("response__item").distinct()
    return Wait(seconds, ahead=others.count())
