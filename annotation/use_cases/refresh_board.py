from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from annotation.boards import (
    CODE_VERSION,
    canonical_json,
    compute_standings,
    digest_of,
    merged_contestants,
)
from annotation.errors import AnnotationError
from annotation.models import Board, LeaderboardSnapshot
from annotation.queries import last_sequence, latest_snapshot, retired_sources
from annotation.queries.log import board_judgments, imports_are_being_numbered
from foundation.database import advisory_lock, try_advisory_lock


class BoardBusy(AnnotationError):
    """Another is computing this board at the moment."""


def refresh_board(*, board_id: int, now: datetime, wait: bool = True) -> LeaderboardSnapshot | None:
    """Compute a board from the log as it is and write the next snapshot, or None where it would say the same.

    One at a time per board; without `wait`, BoardBusy where another is at it, or where an import is being numbered:
    a board of half a file would be nobody's standings.
    """
    lock = f"annotation.refresh_board:{board_id}"
    with transaction.atomic():
        if not wait and not try_advisory_lock(lock):
            raise BoardBusy(f"board {board_id} is being computed")
        if not wait and imports_are_being_numbered(board_id):
            raise BoardBusy(f"an import to board {board_id} is being numbered")
        with advisory_lock(lock):
            return _refresh(board_id)


def _refresh(board_id: int) -> LeaderboardSnapshot | None:
    board = Board.objects.select_related("campaign").get(pk=board_id)
    newest = latest_snapshot(board)
    # Read first: a source retired, or a vote numbered, while this runs is for the next snapshot.
    retired, last = retired_sources(board.campaign), last_sequence()
    standings = standings_of(board, last=last, retired=retired)
    digest = digest_of(standings)
    if newest is not None:
        was = (newest.digest, newest.retired_sources, newest.code_version)
        if was == (digest, retired, CODE_VERSION):
            return None
    return LeaderboardSnapshot.objects.create(
        board=board,
        number=1 if newest is None else newest.number + 1,
        method=board.method,
        code_version=CODE_VERSION,
        slice=board.slice,
        last_sequence=last,
        retired_sources=retired,
        judgments=standings["people"]["judgments"],
        standings=standings,
        digest=digest,
    )


def standings_of(board: Board, *, last: int, retired: list[int], method: str | None = None) -> dict[str, Any]:
    """The board's standings from the log up to `last`; nothing is written."""
    return compute_standings(
        board_judgments(board.campaign, board.slice, last_sequence=last, retired=retired),
        method=method or board.method,
        seed=seed_of(board.campaign_id, board.slice),
        merged=merged_contestants(),
    )


def rebuild(snapshot: LeaderboardSnapshot) -> dict[str, Any]:
    """A snapshot's standings, computed again from the log as it was then. Names and mergers are taken as it has them:
    they are no judgments.
    """
    campaign, stored = snapshot.board.campaign, snapshot.standings
    return compute_standings(
        board_judgments(
            campaign,
            snapshot.slice,
            last_sequence=snapshot.last_sequence,
            retired=snapshot.retired_sources,
            as_of=snapshot.created_at,
        ),
        method=snapshot.method,
        seed=seed_of(campaign.pk, snapshot.slice),
        merged={int(pk): into for pk, into in stored["merged"].items()},
        names={entry["contestant"]: entry["model"] for entry in stored["entries"]},
        version=snapshot.code_version,
    )


def seed_of(campaign_id: int, slice: Mapping[str, Any]) -> int:
    """The bootstrap's seed. It belongs to the slice, so that an interval moves with the votes and not with the dice."""
    return int.from_bytes(sha256(canonical_json([campaign_id, dict(slice)]).encode()).digest()[:8], "big")
