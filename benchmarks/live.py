"""What a vote costs the points of its board, however many votes there were before; and that points lose no vote.

The processor time is that of this process and of every process of the database server together, as in
`benchmarks.votes`, over votes that are brought to the board one at a time. A full fit of the same votes stands beside
it. Writing and numbering the votes is not in it: `benchmarks.votes` counts these.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from django.db import connection
from django.utils import timezone

from annotation.enums import CampaignState
from annotation.models import Board, Campaign, Contestant, LiveBoard
from annotation.queries import latest_snapshot
from annotation.use_cases.advance_board import advance_board
from annotation.use_cases.import_votes import import_votes
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.sequence_log import sequence_log
from benchmarks.imports import make_votes
from benchmarks.rows import Row
from benchmarks.votes import cpu_seconds, database_processes
from tests.annotation.boards.factories import judge
from tests.annotation.boards.late_writers import watch_late_writers

MODELS = 300
SMALL, FEWER, MANY = 20_000, 200_000, 1_000_000
WRITERS, LONGEST_WAIT = 16, 1.0
# Votes before what is measured: what is only loaded once is not.
WARM = 5


def run(quick: bool) -> list[Row]:
    rows = follow_votes(SMALL, new=20).rows()
    if not quick:
        # Nearly every pair of models has met by then: what is read of counts is as much as it will ever be.
        fewer = follow_votes(FEWER, new=50)
        rows += [*fewer.rows(), *follow_votes(MANY, new=50).rows(beside=fewer)]
    return [*rows, *late_rows(seconds=5 if quick else 60)]


@dataclass(frozen=True)
class Followed:
    """A board of so many votes, and what it cost to bring it one vote further, beside a full fit."""

    votes: int
    vote_ms: float
    whole_ms: float
    megabytes: float  # more held in the end than at first

    def rows(self, beside: "Followed | None" = None) -> list[Row]:
        size = f"{self.votes} votes, {MODELS} models"
        found = [
            Row("points_after_a_vote_cpu_ms", size, self.vote_ms, "ms", self.whole_ms),
            Row("points_after_votes_extra_memory", size, self.megabytes, "MB"),
        ]
        if beside is not None:
            found.append(Row("points_after_a_vote_against_fewer_votes", size, self.vote_ms, "ms", beside.vote_ms))
        return found


def follow_votes(votes: int, *, new: int) -> Followed:
    board = board_of(votes)
    if not advance(board):
        raise RuntimeError("the board did not take the votes in")
    database = database_processes()
    began = cpu_seconds(database)
    refresh_board(board_id=board.pk, now=timezone.now())
    whole = cpu_seconds(database) - began
    models = list(Contestant.objects.filter(campaign=board.campaign).order_by("pk"))
    dice, spent, held = Random(5), 0.0, 0.0
    for number in range(new + WARM):
        judge(board.campaign, *dice.sample(models, 2))
        sequence_log(now=timezone.now())
        if number == WARM:
            spent, held = 0.0, megabytes_held()
        began = cpu_seconds(database)
        if not advance(board):
            raise RuntimeError("a vote did not move its board")
        spent += cpu_seconds(database) - began
    return Followed(votes, 1000 * spent / new, 1000 * whole, megabytes_held() - held)


def board_of(votes: int) -> Board:
    """Of imported votes, in a campaign that is then opened for more, as no person could."""
    with tempfile.TemporaryDirectory() as folder:
        file = make_votes(Path(folder) / "votes.parquet", votes, models=MODELS, flags=0)
        board = import_votes(path=file, board_slug=f"live-{votes}", now=timezone.now()).board
    sequence_log(now=timezone.now())
    Campaign.objects.filter(pk=board.campaign_id).update(state=CampaignState.RUNNING)
    found: Board = Board.objects.select_related("campaign__instrument").get(pk=board.pk)
    return found


def advance(board: Board) -> bool:
    return advance_board(board_id=board.pk, now=timezone.now())


def megabytes_held() -> float:
    """What this process holds now, as Linux counts it."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def late_rows(*, seconds: float) -> list[Row]:
    """Points that followed writers who commit late and out of order, beside the full fit; and the votes that whoever
    goes by the highest id has not seen, without which nothing was shown."""
    with without_pool():
        watched = watch_late_writers(writers=WRITERS, seconds=seconds, longest_wait=LONGEST_WAIT)
    board, size = watched.board, f"{WRITERS} writers, {seconds:.0f} s"
    refresh_board(board_id=board.pk, now=timezone.now())
    snapshot = latest_snapshot(board)
    if snapshot is None:
        raise RuntimeError("the board has no snapshot")
    fitted = {each["contestant"]: each["rating"] for each in snapshot.standings["entries"]}
    live = {int(pk): points for pk, points in LiveBoard.objects.get(board=board).points.items()}
    if live.keys() != fitted.keys():
        raise RuntimeError(f"{sorted(live)} have points and {sorted(fitted)} a rating")
    apart = max(abs(live[pk] - rating) for pk, rating in fitted.items())
    missed = watched.votes - watched.seen_by_id
    return [
        Row("live_points_apart_from_full_fit", size, apart, "points", note=f"{watched.votes} votes"),
        Row("votes_missed_by_going_by_ids", size, missed, "votes", note=f"{watched.late} late"),
    ]


@contextmanager
def without_pool() -> Iterator[None]:
    """Each thread has a connection of its own: a pool has fewer than there are writers."""
    options = connection.settings_dict["OPTIONS"]
    pool = options.pop("pool", None)
    connection.close()
    try:
        yield
    finally:
        connection.close()
        if pool is not None:
            options["pool"] = pool
