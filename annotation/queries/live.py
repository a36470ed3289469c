"""The counts that a board's points rest on: those that are kept, and those of the log."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

import numpy as np
from django.db.models import Count, QuerySet

from annotation.boards.pair_counts import NOTHING, PLANES, PairCounts, WholeCounts
from annotation.enums import Preference
from annotation.models import Board, Judgment
from foundation.database import planned_cursor

# All rows as few bytes: ninety thousand rows of Python's own numbers would cost more than the fit.
READ = """
SELECT string_agg(int8send(a_id) || int8send(b_id) || int8send(a_wins) || int8send(b_wins) || int8send(ties)
    || int8send(both_bad), ''::bytea)
FROM annotation_paircount WHERE board_id = %(board)s
"""


def read_counts(board: Board) -> PairCounts:
    """As far as `advance_board` brought them; nothing for a board that does not rest on pairs."""
    with planned_cursor() as cursor:
        cursor.execute(READ, {"board": board.pk})
        found = cursor.fetchone()[0]
    if found is None:
        return NOTHING
    rows = np.frombuffer(found, dtype=">i8").reshape(-1, 2 + len(PLANES)).astype(np.int64)
    counted = rows[:, 2:].any(axis=1)
    return PairCounts(rows[counted, 0], rows[counted, 1], rows[counted, 2:])


# What a judgment between two says of them, as a plane; of two that are not acceptable neither is better.
SAYS = {
    Preference.A: "a_wins",
    Preference.B: "b_wins",
    Preference.TIE: "ties",
    Preference.BOTH_BAD: "both_bad",
}


def count_pairs(judgments: QuerySet[Judgment], *, merged: Mapping[int, int]) -> PairCounts:
    """Of judgments of the log, counted where they lie. A contestant in `merged` is the one it was merged into; bad
    against bad stands in a plane of its own, whatever a board's method makes of it."""
    between = judgments.filter(
        contestants__len=2, contestants__0__isnull=False, contestants__1__isnull=False, preference__in=list(SAYS)
    )
    counts: Counter[tuple[int, int, str]] = Counter()
    said = between.order_by().values_list("contestants__0", "contestants__1", "preference", "acceptable")
    for a, b, preference, acceptable, count in said.annotate(count=Count("pk")).iterator():
        plane = "both_bad" if acceptable == [False, False] else SAYS[Preference(preference)]
        counts[merged.get(a, a), merged.get(b, b), plane] += count
    if not counts:
        return NOTHING
    pairs = sorted({(a, b) for a, b, _plane in counts})
    table = np.array([[counts[a, b, plane] for plane in PLANES] for a, b in pairs], dtype=np.int64)
    ids = np.array(pairs, dtype=np.int64)
    return PairCounts(ids[:, 0], ids[:, 1], table)


class HeldCounts:
    """The whole counts of the boards that this process has last brought forward: ninety thousand pairs are more to read
    than to add one vote to."""

    AT_MOST = 16

    def __init__(self) -> None:
        self._held: dict[int, tuple[UUID, WholeCounts]] = {}

    def of(self, board: int, counted: UUID | None) -> WholeCounts | None:
        """Where they are still what the database holds, which `LiveBoard.counted` tells."""
        held = self._held.get(board)
        return held[1] if held and held[0] == counted else None

    def hold(self, board: int, counted: UUID, whole: WholeCounts) -> None:
        self._held.pop(board, None)
        while len(self._held) >= self.AT_MOST:
            self._held.pop(next(iter(self._held)), None)
        self._held[board] = (counted, whole)


HELD = HeldCounts()
