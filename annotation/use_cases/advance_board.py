from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from annotation.boards import digest_of, merged_contestants
from annotation.boards.pair_counts import PLANES, PairCounts, WholeCounts, differs
from annotation.boards.slices import with_excluded
from annotation.models import Board, Judgment, LeaderboardSnapshot, LiveBoard, PairCount
from annotation.queries import last_sequence, retired_sources
from annotation.queries.live import HELD, count_pairs, read_counts
from annotation.queries.log import board_judgments, imports_are_being_numbered

log = structlog.get_logger(__name__)

# Goes up when the same log gives other counts than before.
RULES = 1
# Points. A snapshot's ratings are rounded to six decimals.
TOLERANCE = 2e-6
NEWS = """
news AS (
    SELECT * FROM unnest(
        %(a)s::bigint[], %(b)s::bigint[], %(a_wins)s::int[], %(b_wins)s::int[], %(ties)s::int[], %(both_bad)s::int[]
    ) AS n (a_id, b_id, a_wins, b_wins, ties, both_bad)
)
"""
# Not ON CONFLICT: a row below zero would be refused before it was added to the one that is there.
ADD = f"""
WITH {NEWS}, added AS (
    UPDATE annotation_paircount p SET a_wins = p.a_wins + n.a_wins, b_wins = p.b_wins + n.b_wins,
        ties = p.ties + n.ties, both_bad = p.both_bad + n.both_bad
    FROM news n WHERE p.board_id = %(board)s AND p.a_id = n.a_id AND p.b_id = n.b_id RETURNING p.a_id, p.b_id
)
INSERT INTO annotation_paircount (board_id, a_id, b_id, a_wins, b_wins, ties, both_bad)
SELECT %(board)s, n.* FROM news n
WHERE NOT EXISTS (SELECT 1 FROM added d WHERE d.a_id = n.a_id AND d.b_id = n.b_id)
"""  # noqa: S608 (constants)


def advance_board(*, board_id: int, now: datetime) -> bool:
    """Bring a board's counts and points up to the log by what was numbered since; says whether they moved.

    Nothing before is read again: an answer that was taken back or corrected since is subtracted, one that came is
    added. Where something else changed that the counts rest on (a source retired, contestants merged, another slice)
    they are counted anew. Left to whoever is at it already, and until the whole of an import is numbered.
    """
    with transaction.atomic():
        if imports_are_being_numbered(board_id):
            return False
        board = Board.objects.select_related("campaign").get(pk=board_id)
        LiveBoard.objects.get_or_create(board=board)
        live = LiveBoard.objects.select_for_update(skip_locked=True, of=("self",)).filter(board=board).first()
        return live is not None and _advance(board, live, last_sequence())


def hold_to_snapshot(snapshot: LeaderboardSnapshot, *, now: datetime) -> None:
    """Compare the counts, less what came after the snapshot, with its full fit, and count anew where points differ.

    That mends what no entry of the log tells of, such as an item that changed its category after it was judged.
    """
    board, then = snapshot.board, snapshot.last_sequence
    if snapshot.standings.get("form"):
        return
    with transaction.atomic():
        live = LiveBoard.objects.select_for_update(of=("self",)).filter(board=board, last_sequence__gte=then).first()
        if live is None or live.rests_on != _rests_on(board) or live.rests_on["retired"] != snapshot.retired_sources:
            return
        counts = read_counts(board).minus(_change(board, live, after=then, last=live.last_sequence))
        if not differs(WholeCounts.of(counts).points(board.method), snapshot.standings["entries"], tolerance=TOLERANCE):
            return
        log.warning("board_counted_anew", board=board.pk, sequence=live.last_sequence)
        _count_anew(board, live, live.last_sequence)
        _note(board, live)


def compare_live(live: LiveBoard) -> str | None:
    """What is wrong with a board's counts: that the log up to where they are gives others. Nothing is written."""
    board = live.board
    if live.rests_on != _rests_on(board):
        return None  # they are counted anew next
    whole = count_pairs(_standing(board, live, live.last_sequence), merged=merged_contestants())
    return (
        f"board {board.slug}: its live counts do not follow from the log"
        if len(read_counts(board).minus(whole))
        else None
    )


def _advance(board: Board, live: LiveBoard, last: int) -> bool:
    rests_on = _rests_on(board)
    if live.rests_on != rests_on:
        live.rests_on = rests_on
        _count_anew(board, live, last)
        _note(board, live)
        return True
    if last <= live.last_sequence:
        return False
    change = _change(board, live, after=live.last_sequence, last=last)
    live.last_sequence = last
    if not len(change):
        live.save(update_fields=["last_sequence"])
        return False
    _note(board, live, change=change if _add_change(board, live, change) else None)
    return True


def _rests_on(board: Board) -> dict[str, Any]:
    return {
        "rules": RULES,
        "method": board.method,
        "slice": board.slice,
        "retired": retired_sources(board.campaign),
        "merged": digest_of({str(pk): into for pk, into in merged_contestants().items()}),
    }


def _add_change(board: Board, live: LiveBoard, change: PairCounts) -> bool:
    """False where the whole was counted anew instead."""
    try:
        with transaction.atomic():
            _add(board, change)
    except IntegrityError:
        # More went than had come: it was counted under another category, say.
        log.warning("board_counts_below_zero", board=board.pk, sequence=live.last_sequence)
        _count_anew(board, live, live.last_sequence)
        return False
    return True


def _change(board: Board, live: LiveBoard, *, after: int, last: int) -> PairCounts:
    """What the entries after one of the log add to the counts and take from them."""
    merged, since = merged_contestants(), (after + 1, last)
    came = count_pairs(_standing(board, live, last).filter(log_entry__sequence__gt=after), merged=merged)
    if not Judgment.objects.filter(log_entry__sequence__range=since, supersedes__isnull=False).exists():
        return came
    went = _standing(board, live, after)
    superseded = Q(superseded_by__log_entry__sequence__range=since)
    if with_excluded(board.slice):
        # What a block took out stays, and goes where the block was lifted: another row says it anew then.
        superseded |= Q(superseded_by__superseded_by__log_entry__sequence__range=since)
        still = _standing(board, live, last).filter(superseded_by__log_entry__sequence__range=since)
        went = went.exclude(pk__in=still.order_by().values("pk"))
    return came.minus(count_pairs(went.filter(superseded), merged=merged))


def _count_anew(board: Board, live: LiveBoard, last: int) -> None:
    """From the whole log."""
    PairCount.objects.filter(board=board).delete()
    _add(board, count_pairs(_standing(board, live, last), merged=merged_contestants()))
    live.last_sequence = last


def _standing(board: Board, live: LiveBoard, last: int) -> QuerySet[Judgment]:
    return board_judgments(board.campaign, board.slice, last_sequence=last, retired=live.rests_on["retired"])


def _add(board: Board, change: PairCounts) -> None:
    columns: Sequence[list[int]] = [change.a.tolist(), change.b.tolist(), *change.counts.T.tolist()]
    values = dict(zip(("a", "b", *PLANES), columns, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(ADD, {"board": board.pk, **values})


def _note(board: Board, live: LiveBoard, *, change: PairCounts | None = None) -> None:
    """The points of the counts as they are now, which `change` was all that was done to."""
    held = HELD.of(board.pk, live.counted) if change is not None else None
    whole = held.plus(change) if held and change is not None else None
    if whole is None:
        whole = WholeCounts.of(read_counts(board))
    live.points = whole.points(board.method)
    live.comparisons = whole.comparisons
    live.counted = uuid4()
    live.save()
    HELD.hold(board.pk, live.counted, whole)
