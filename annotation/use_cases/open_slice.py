from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Person
from annotation.boards import check_slice, digest_of
from annotation.boards.slices import slice_words
from annotation.errors import AnnotationError
from annotation.models import Board
from annotation.use_cases.record_event import record_event


class SliceOfSlice(AnnotationError):
    """A slice is of a board that holds the whole of its campaign."""


def open_slice(
    *, board: Board, slice: dict[str, Any], actor: Person | None, now: datetime, public: bool = True
) -> Board | None:
    """The board of one slice of a whole board; None where there is one. Raises UnknownSlice and SliceOfSlice."""
    check_slice(slice)
    if board.parent_id is not None or board.slice:
        raise SliceOfSlice(f"board {board.slug} is itself a part")
    values = {
        "slug": f"{board.slug[:67]}-{digest_of(slice)[:12]}",
        "name": f"{board.name}: {slice_words(slice)}"[:120],
        "campaign": board.campaign,
        "method": board.method,
        "is_public": public,
    }
    with transaction.atomic():
        made, is_new = Board.objects.get_or_create(parent=board, slice=slice, defaults=values)
        if is_new:
            record_event(subject=made, verb="opened", actor=actor, data={"parent": board.pk})
    return made if is_new else None
