"""The counts that a board's points rest on."""

import numpy as np

from annotation.boards.pair_counts import NOTHING, PLANES, PairCounts
from annotation.models import Board
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
