from datetime import datetime

from django.db import transaction

from annotation.enums import AssignmentState
from arena.enums import BattleState
from arena.models import Battle
from arena.policies import ANSWER_LIMIT
from arena.presence import forget_reader, left_battles
from arena.queries.moderation import overdue_battles
from arena.transitions import BATTLE
from arena.use_cases.end_unanswered import void_battles_item
from arena.use_cases.leave_battle import leave_battle
from arena.use_cases.moderate_answers import drop_moderations
from arena.use_cases.settle_completion import open_battle, settle_checks, settle_completion, void_battle
from foundation.transitions import check
from inference_workers.models import OutboxEntry


def sweep_battles(*, now: datetime, limit: int = 500) -> dict[str, int]:
    """Finish what a lost signal, a dead worker or a closed browser left open; returns how many of each.

    News nobody took is settled, answers that a moderation model keeps for too long are decided, battles whose hour has
    come are opened, battles that never got their answers are void, and battles whose vote lease ran out, or whose
    reader was gone while the models wrote, are left.
    """
    news = list(
        OutboxEntry.objects.filter(handled_at=None)
        .order_by("created_at")
        .values_list("completion_id", flat=True)[:limit]
    )
    for completion_id in news:
        settle_completion(completion_id=completion_id, now=now)
    for battle_id in overdue_battles(now=now, limit=limit):
        settle_checks(battle_id=battle_id, now=now)
    drop_moderations(now=now, limit=limit)
    due = Battle.objects.filter(state=BattleState.ANSWERING, opens_at__lte=now).order_by("created_at")
    for battle_id in list(due.values_list("pk", flat=True)[:limit]):
        open_battle(battle_id=battle_id, now=now)
    abandoned = _leave_expired(now, limit) + _leave_unread(now, limit)
    return {"settled": len(news), "void": _void_stuck(now, limit), "abandoned": abandoned}


def _void_stuck(now: datetime, limit: int) -> int:
    stuck = Battle.objects.filter(state=BattleState.ANSWERING, item__created_at__lt=now - ANSWER_LIMIT)
    count = 0
    for battle_id in list(stuck.values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            battle = (
                Battle.objects.select_for_update(of=["self"], skip_locked=True)
                .select_related("item", "assignment__slot", "impression")
                .filter(pk=battle_id, state=BattleState.ANSWERING)
                .first()
            )
            if battle is not None and _asked_long_ago(battle, now):
                void_battle(battle, reason="the models did not answer in time", now=now)
                count += 1
    return count


def _asked_long_ago(battle: Battle, now: datetime) -> bool:
    newest = battle.item.responses.order_by("-turns__completion__created_at").values_list(
        "turns__completion__created_at", flat=True
    )[0]
    return newest is None or newest < now - ANSWER_LIMIT


def _leave_expired(now: datetime, limit: int) -> int:
    """The assignment's end, by its expiry or with its visitor, has ended the impression; battle and item follow it."""
    left = Battle.objects.filter(
        state=BattleState.VOTABLE, assignment__state__in=[AssignmentState.EXPIRED, AssignmentState.CANCELLED]
    )
    count = 0
    for battle_id in list(left.values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            battles = Battle.objects.select_for_update(of=["self"], skip_locked=True).select_related("item")
            battle = battles.filter(pk=battle_id).first()
            if battle is not None and battle.state == BattleState.VOTABLE:
                check(BATTLE, battle.state, BattleState.ABANDONED)
                battle.state, battle.ended_at = BattleState.ABANDONED, now
                battle.save(update_fields=["state", "ended_at"])
                void_battles_item(battle)
                count += 1
    return count


def _leave_unread(now: datetime, limit: int) -> int:
    """What nobody reads any more is not written on; what is no longer written has no reader to lose."""
    unread = left_battles()[:limit]
    written = set(
        Battle.objects.filter(pk__in=unread, state=BattleState.ANSWERING).values_list("pk", flat=True) if unread else []
    )
    for battle_id in set(unread) - written:
        forget_reader(battle_id)
    return sum(leave_battle(battle_id=battle_id, now=now) for battle_id in written)
