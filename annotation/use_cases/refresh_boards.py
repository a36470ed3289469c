from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import Any

import structlog
from django.core.cache import cache
from django.db.models import OuterRef, Subquery

from annotation.boards import CODE_VERSION
from annotation.enums import SourceState
from annotation.models import Board, Contestant, LeaderboardSnapshot, LogEntry, Source
from annotation.queries import last_sequence
from annotation.use_cases.advance_board import hold_to_snapshot
from annotation.use_cases.open_slices import open_slices
from annotation.use_cases.refresh_board import BoardBusy, refresh_board

log = structlog.get_logger(__name__)
SNAPSHOT = ("number", "last_sequence", "retired_sources", "code_version", "method", "slice", "created_at")
# Points follow every vote by themselves (advance_board). Intervals come from the whole log: once they were computed, a
# board rests so many times as long as that took, and never longer than half a minute.
REST = 5.0
LONGEST_REST = timedelta(seconds=30)


def refresh_boards(*, now: datetime) -> int:
    """Bring every board up to the log; returns how many moved. One that fails does not hold the others up.

    Where nothing happened since the last look this costs four queries, however many boards and votes there are.
    """
    moved, last, retired, names = 0, last_sequence(), _retired_sources(), _names()
    for board in _boards_with_newest_snapshot():
        look = Look(board, retired[board.campaign_id], last, names)
        try:
            if look.rests(now):
                continue  # not remembered: it is looked at again
            if look.finds_news():
                moved += _refresh(board, now)
            look.remember()
        except BoardBusy:
            continue  # not remembered: it is looked at again
        except Exception:
            log.exception("board_not_refreshed", board=board.pk)
    return moved


def _refresh(board: Board, now: datetime) -> bool:
    began = monotonic()
    snapshot = refresh_board(board_id=board.pk, now=now, wait=False)
    cache.set(_took(board.pk), monotonic() - began, timeout=None)
    if snapshot is not None:
        hold_to_snapshot(snapshot, now=now)
        if board.parent_id is None and not board.slice:
            open_slices(board_id=board.pk, now=now)
    return snapshot is not None


def _took(board_id: int) -> str:
    return f"annotation.board_took:{board_id}"


@dataclass(frozen=True)
class Look:
    """One board beside the log. What was looked at and changed no standing is remembered, so that it is not computed
    over and over; forgetting it costs one computation.
    """

    board: Any
    retired: list[int]
    last: int
    names: str  # digest of what language models may be called

    @property
    def key(self) -> str:
        return f"annotation.board_looked_at:{self.board.pk}"

    @property
    def inputs(self) -> tuple[Any, ...]:
        return (self.board.snapshot_number, self.retired, CODE_VERSION, self.board.method, self.board.slice)

    def rests(self, now: datetime) -> bool:
        """It was computed a moment ago, and nothing but votes came since."""
        if self._differs():
            return False
        rest = min(timedelta(seconds=REST * cache.get(_took(self.board.pk), 0.0)), LONGEST_REST)
        return bool(now - self.board.snapshot_created_at < rest)

    def finds_news(self) -> bool:
        inputs, last, names = cache.get(self.key, (None, 0, ""))
        if names != self.names:
            return True  # a snapshot holds names, and some model was hidden, released or renamed
        if inputs == self.inputs:
            return self._has_entries_after(last)
        return self._differs() or self._has_entries_after(self.board.snapshot_last_sequence)

    def remember(self) -> None:
        cache.set(self.key, (self.inputs, self.last, self.names), timeout=None)

    def _differs(self) -> bool:
        """There is no snapshot, or it is one of other sources, rules or arithmetic."""
        board = self.board
        was = (board.snapshot_retired_sources, board.snapshot_code_version, board.snapshot_method, board.snapshot_slice)
        return bool(was != (self.retired, CODE_VERSION, board.method, board.slice))

    def _has_entries_after(self, sequence: int) -> bool:
        if sequence >= self.last:
            return False
        entries = LogEntry.objects.filter(sequence__gt=sequence, sequence__lte=self.last)
        return entries.filter(judgment__campaign=self.board.campaign_id).exists()


def _retired_sources() -> dict[int, list[int]]:
    retired: dict[int, list[int]] = defaultdict(list)
    rows = Source.objects.filter(state=SourceState.RETIRED).order_by("pk").values_list("campaign_id", "pk")
    for campaign, source in rows:
        retired[campaign].append(source)
    return retired


def _names() -> str:
    """One digest for all boards: names change seldom, and then every board is computed once."""
    model = "revision__language_model"
    told = ("pk", "name", "settings_name", f"{model}__visibility", f"{model}__released_at")
    rows = Contestant.objects.filter(revision__isnull=False).order_by("pk").values_list(*told)
    return sha256(repr(list(rows)).encode()).hexdigest()


def _boards_with_newest_snapshot() -> list[Any]:
    newest = LeaderboardSnapshot.objects.filter(board=OuterRef("pk")).order_by("-number")
    fields = {f"snapshot_{name}": Subquery(newest.values(name)[:1]) for name in SNAPSHOT}
    return list(Board.objects.annotate(**fields).order_by("pk"))
