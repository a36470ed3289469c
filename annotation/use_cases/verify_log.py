from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.boards import RECOMPUTED, canonical_json, digest_of
from annotation.models import Judgment, LeaderboardSnapshot, LiveBoard, LogEntry
from annotation.use_cases.advance_board import compare_live
from annotation.use_cases.refresh_board import rebuild
from annotation.use_cases.sequence_log import CHAINED, GENESIS, chain


@dataclass
class Verification:
    entries: int = 0
    # The first entry whose digest or number is not what the log gives, if any.
    broken_at: int | None = None
    unnumbered: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def verify_log(*, now: datetime) -> Verification:
    """Walk the hash chain from the first entry and compare every digest: a changed, missing or moved row breaks it.
    Then compute the newest snapshot of every board again, and count what its points rest on.
    """
    result = Verification()
    with transaction.atomic():
        digest, expected = GENESIS, 1
        for sequence, stored, values in _entries():
            if sequence != expected:
                result.broken_at = expected
                result.problems.append(f"entry {expected} is missing")
                break
            digest = chain(digest, values)
            if digest != stored:
                result.broken_at = sequence
                result.problems.append(f"entry {sequence} (judgment {values['id']}) does not match its digest")
                break
            result.entries, expected = sequence, expected + 1
        result.unnumbered = Judgment.objects.filter(log_entry__isnull=True).count()
    result.problems += [problem for snapshot in newest_snapshots() if (problem := compare(snapshot))]
    live = LiveBoard.objects.select_related("board__campaign").order_by("board_id")
    result.problems += [problem for each in live if (problem := compare_live(each))]
    return result


def newest_snapshots() -> list[LeaderboardSnapshot]:
    """The newest of every board."""
    snapshots = LeaderboardSnapshot.objects.select_related("board__campaign")
    return list(snapshots.order_by("board_id", "-number").distinct("board_id"))


def compare(snapshot: LeaderboardSnapshot) -> str | None:
    """What is wrong with a snapshot: its own digest, or that the log gives other standings, byte for byte."""
    name = f"board {snapshot.board.slug}, snapshot {snapshot.number}"
    if digest_of(snapshot.standings) != snapshot.digest:
        return f"{name} does not match its digest"
    if snapshot.code_version in RECOMPUTED and canonical_json(rebuild(snapshot)) != canonical_json(snapshot.standings):
        return f"{name} does not follow from the log"
    return None


def _entries() -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    rows = LogEntry.objects.order_by("sequence").values_list(
        "sequence", "digest", *(f"judgment__{name}" for name in CHAINED)
    )
    for sequence, digest, *values in rows.iterator(chunk_size=5000):
        yield sequence, bytes(digest), dict(zip(CHAINED, values, strict=True))
