from datetime import datetime

import structlog

from annotation.models import Board, LiveBoard, LogEntry
from annotation.queries import last_sequence
from annotation.use_cases.advance_board import advance_board

log = structlog.get_logger(__name__)


def advance_boards(*, now: datetime) -> int:
    """Bring the points of every board up to the log; returns how many moved. One that fails does not hold others up.

    Boards of campaigns in which nothing was numbered are noted to be up to date without being looked at: one statement
    for all of them.
    """
    moved, last = 0, last_sequence()
    behind = LiveBoard.objects.filter(last_sequence__lt=last)
    first = behind.order_by("last_sequence").values_list("last_sequence", flat=True).first()
    if first is not None:
        entries = LogEntry.objects.filter(sequence__gt=first, sequence__lte=last)
        busy = list(entries.values_list("judgment__campaign", flat=True).distinct())
        behind.exclude(board__campaign__in=busy).update(last_sequence=last)
    for board in Board.objects.order_by("pk").values_list("pk", flat=True):
        try:
            moved += advance_board(board_id=board, now=now)
        except Exception:
            log.exception("board_not_advanced", board=board)
    return moved
