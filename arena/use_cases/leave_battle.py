from datetime import datetime
from uuid import UUID

from django.db import transaction

from annotation.enums import ImpressionEnd
from arena.enums import BattleState
from arena.models import Battle
from arena.use_cases.end_unanswered import end_unanswered


def leave_battle(*, battle_id: UUID, now: datetime) -> bool:
    """Its reader is gone while the models write: they are freed, and the battle is logged as abandoned. False where
    there is nothing to stop any more, or somebody else is at it.
    """
    with transaction.atomic():
        battle = (
            Battle.objects.select_for_update(of=["self"], skip_locked=True)
            .select_related("item", "assignment__slot", "impression")
            .filter(pk=battle_id, state=BattleState.ANSWERING)
            .first()
        )
        if battle is None:
            return False
        end_unanswered(
            battle,
            state=BattleState.ABANDONED,
            shown=ImpressionEnd.ABANDONED,
            verb="left",
            reason="its reader was gone while the models wrote",
            now=now,
        )
    return True
