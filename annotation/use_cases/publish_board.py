from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.models import Board
from annotation.use_cases.record_event import record_event


def publish_board(*, board_id: int, public: bool, actor: Person | None, now: datetime) -> Board:
    """Show a board to everybody, or to nobody; its snapshots go on either way."""
    with transaction.atomic():
        board = Board.objects.select_for_update().get(pk=board_id)
        if board.is_public != public:
            board.is_public = public
            board.save(update_fields=["is_public"])
            record_event(subject=board, verb="published" if public else "hidden", actor=actor)
    return board
