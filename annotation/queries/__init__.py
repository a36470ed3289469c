"""Questions that pages, use cases and exports put to the database. They change nothing."""

from annotation.queries.log import (
    SHOWN,
    asking_shares,
    asks_for_words,
    condition_of,
    instrument_questions,
    last_sequence,
    latest_snapshot,
    main_board,
    own_median_amount,
    public_boards,
    retired_sources,
    settles,
    slices_of,
    standing_answers,
    standing_judgments,
)
from annotation.queries.shown import ShownItem, ShownResponse, ShownTurn, shown_item, texts_if_read
from annotation.queries.snapshots import readable_snapshot, readable_snapshots

__all__ = [
    "SHOWN",
    "ShownItem",
    "ShownResponse",
    "ShownTurn",
    "asking_shares",
    "asks_for_words",
    "condition_of",
    "instrument_questions",
    "last_sequence",
    "latest_snapshot",
    "main_board",
    "own_median_amount",
    "public_boards",
    "readable_snapshot",
    "readable_snapshots",
    "retired_sources",
    "settles",
    "shown_item",
    "slices_of",
    "standing_answers",
    "standing_judgments",
    "texts_if_read",
]
