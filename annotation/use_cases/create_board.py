from datetime import datetime
from typing import Any

from annotation.boards import check_slice
from annotation.enums import Method
from annotation.models import Board, Campaign


def create_board(
    *,
    slug: str,
    name: str,
    campaign: Campaign,
    now: datetime,
    method: str = Method.BRADLEY_TERRY,
    slice: dict[str, Any] | None = None,
    public: bool = True,
) -> Board:
    """A named slice of a campaign's log with a method; the same slug again returns the board that exists.

    Raises UnknownSlice.
    """
    check_slice(slice or {})
    values = {"name": name, "campaign": campaign, "method": method, "slice": slice or {}, "is_public": public}
    board, _ = Board.objects.get_or_create(slug=slug, defaults=values)
    return board
