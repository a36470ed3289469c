from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import SourceKind, SourceState
from annotation.models import Board, Campaign, Source
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.retire_source import restore_source, retire_source


def retire_simulations(*, campaign: Campaign, actor: Person | None, reason: str, now: datetime) -> int:
    """Leave every simulated judgment of a campaign out from now on, and show its boards without them."""
    with transaction.atomic():
        ids = _simulations(campaign, SourceState.ACTIVE)
        for source_id in ids:
            retire_source(source_id=source_id, actor=actor, reason=reason, now=now)
    _refresh(campaign, now)
    return len(ids)


def restore_simulations(*, campaign: Campaign, actor: Person | None, reason: str, now: datetime) -> int:
    """Take the retired simulated judgments of a campaign in again."""
    with transaction.atomic():
        ids = _simulations(campaign, SourceState.RETIRED)
        for source_id in ids:
            restore_source(source_id=source_id, actor=actor, reason=reason, now=now)
    _refresh(campaign, now)
    return len(ids)


def _simulations(campaign: Campaign, state: str) -> list[int]:
    """Under lock: who clicks at the same time finds them moved."""
    found = Source.objects.select_for_update().filter(campaign=campaign, kind=SourceKind.SIMULATION, state=state)
    return list(found.order_by("pk").values_list("pk", flat=True))


def _refresh(campaign: Campaign, now: datetime) -> None:
    for board_id in Board.objects.filter(campaign=campaign).order_by("pk").values_list("pk", flat=True):
        refresh_board(board_id=board_id, now=now)
