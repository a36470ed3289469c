from datetime import datetime
from typing import Any

from annotation.enums import Method
from annotation.errors import AnnotationError
from annotation.models import Board
from annotation.queries import last_sequence, readable_snapshot, retired_sources
from annotation.use_cases.refresh_board import standings_of


class UnknownBoard(AnnotationError):
    """There is no board of that slug."""


class UnknownMethod(AnnotationError):
    """No board is computed by a method of that name."""


def read_board(*, slug: str, now: datetime, method: str = "") -> dict[str, Any]:
    """A board's newest standings, with the snapshot they are from. With `method` they are computed by that one from
    the log as it is, as they are where the board has no snapshot yet; then `number` is null and nothing is written.
    """
    board = Board.objects.select_related("campaign").filter(slug=slug).first()
    if board is None:
        slugs = ", ".join(Board.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
        raise UnknownBoard(f"there is no board {slug!r:.90}; boards: {slugs}")
    if method and method not in Method.values:
        raise UnknownMethod(f"there is no method {method!r:.40}; methods: {', '.join(Method.values)}")
    snapshot = readable_snapshot(board)
    if snapshot is not None and not method:
        source = {"number": snapshot.number, "digest": snapshot.digest, "last_sequence": snapshot.last_sequence}
        source["slice"] = snapshot.slice
        return {"board": board.slug, "name": board.name, **source, **snapshot.standings}
    last = last_sequence()
    standings = standings_of(board, last=last, retired=retired_sources(board.campaign), method=method or None)
    return {
        "board": board.slug,
        "name": board.name,
        "number": None,
        "last_sequence": last,
        "slice": board.slice,
        **standings,
    }
