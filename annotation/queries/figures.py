"""What the figures of a board are drawn from: each part is read once, and only where a figure asks for it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.functions import Abs, TruncDate

from annotation.boards import contestant_names
from annotation.boards.names import stand_in
from annotation.boards.pair_counts import PairCounts
from annotation.boards.slices import dated
from annotation.models import Board, Judgment, LeaderboardSnapshot
from annotation.queries.live import read_counts
from annotation.queries.log import board_judgments
from annotation.queries.snapshots import last_of_each_day

Found = TypeVar("Found")
# Seconds for which a pass over the log, or over the snapshots, is kept in each process: readers of a busy board do not
# each make one.
KEPT = 60
# The last days that the history goes back to.
DAYS = 400

COSTS = """
SELECT r.contestant_id, avg(c.cost)::float8, count(*)
FROM annotation_response r
JOIN annotation_item i ON i.id = r.item_id
JOIN annotation_turn t ON t.response_id = r.id
JOIN inference_workers_completion c ON c.id = t.completion_id
WHERE i.campaign_id = %(campaign)s AND r.contestant_id = ANY(%(contestants)s)
    AND c.state = 'succeeded' AND c.cost IS NOT NULL
GROUP BY r.contestant_id
"""
HISTORY = """
SELECT (s.created_at AT TIME ZONE 'UTC')::date, s.number, s.method = %(method)s AND s.code_version = %(version)s
    AND s.slice = %(slice)s::jsonb, e.contestant, e.rating, e.lower, e.upper
FROM annotation_leaderboardsnapshot s
CROSS JOIN LATERAL jsonb_to_recordset(s.standings -> 'entries')
    AS e(contestant bigint, rating float8, lower float8, upper float8, "group" int)
WHERE s.board_id = %(board)s AND s.number = ANY(%(numbers)s) AND e.rating IS NOT NULL AND e."group" = 1
ORDER BY s.number, e.rating DESC, e.contestant
"""


@dataclass(frozen=True)
class Day:
    """A UTC day, and the votes that were given on it."""

    day: date
    votes: int


@dataclass(frozen=True)
class Strength:
    """How many said that the better one is so much better, on a scale that ends at `scale`."""

    size: int
    scale: int
    votes: int


@dataclass(frozen=True)
class Rated:
    """What a contestant's rating was as a UTC day ended. `compares` where it came about as today's do."""

    day: date
    number: int
    compares: bool
    contestant: int
    rating: float
    lower: float | None
    upper: float | None


class Evidence:
    """A board, its newest snapshot with the names of now, and whatever else is asked for."""

    def __init__(self, board: Board, snapshot: LeaderboardSnapshot) -> None:
        self.board, self.snapshot = board, snapshot
        self.standings: dict[str, Any] = snapshot.standings
        self.entries: list[dict[str, Any]] = snapshot.standings["entries"]
        self.names: dict[int, str] = {each["contestant"]: each["model"] for each in self.entries}

    def names_with(self, contestants: Iterable[int]) -> dict[int, str]:
        """Also of those who are in no entry."""
        further = set(contestants) - self.names.keys()
        return self.names | (contestant_names(further) if further else {})

    @property
    def rests_on_votes(self) -> bool:
        """Whether its ratings are points of votes between two; scores and shares have a scale of their own."""
        return "form" not in self.standings

    @cached_property
    def counts(self) -> PairCounts:
        return read_counts(self.board)

    @cached_property
    def days(self) -> list[Day]:
        """Of the votes of this snapshot, without days on which nobody voted."""
        return self._days_and_undated[0]

    @property
    def undated(self) -> int:
        """Votes whose day nobody knows: imports that bear the moment of their import."""
        return self._days_and_undated[1]

    @cached_property
    def _days_and_undated(self) -> tuple[list[Day], int]:
        def read() -> tuple[list[Day], int]:
            days = [Day(*each) for each in _per_day(self._votes)]
            return days, self._votes.count() - sum(day.votes for day in days)

        return self._kept("days", read)

    @cached_property
    def strengths(self) -> list[Strength]:
        return self._kept("strengths", lambda: [Strength(*each) for each in _per_strength(self._votes)])

    @cached_property
    def costs(self) -> dict[int, tuple[float, int]]:
        """Mean dollars that a completion shown in this campaign cost, and of how many, by contestant.

        None of who has no name: a price can be looked up, and would say who it is.
        """
        named = [pk for pk, name in self.names.items() if name != stand_in(pk)]
        found = self._kept("costs", lambda: _read(COSTS, campaign=self.board.campaign_id, contestants=list(self.names)))
        return {pk: (cost, count) for pk, cost, count in found if pk in named}

    @cached_property
    def history(self) -> list[Rated]:
        """The largest group as each UTC day ended, in turn."""
        return self._kept("history", self._history)

    def _history(self) -> list[Rated]:
        numbers = last_of_each_day(self.board)[-DAYS:]
        values = {"board": self.board.pk, "numbers": numbers, "method": self.snapshot.method}
        values |= {"version": self.snapshot.code_version, "slice": _json(self.snapshot.slice)}
        return [Rated(*each) for each in _read(HISTORY, **values)]

    @property
    def _votes(self) -> QuerySet[Judgment]:
        snapshot = self.snapshot
        return board_judgments(
            self.board.campaign,
            snapshot.slice,
            last_sequence=snapshot.last_sequence,
            retired=snapshot.retired_sources,
            as_of=snapshot.created_at,
        ).order_by()

    def _kept(self, part: str, read: Callable[[], Found]) -> Found:
        """Kept for what it is of; a vote more makes no other, for as long as it is kept."""
        rests_on = f"{self.board.slug}:{self.board.pk}:{_json(self.snapshot.slice)}:{self.snapshot.retired_sources}"
        found = cache.get_or_set(f"annotation.figures:{part}:{sha256(rests_on.encode()).hexdigest()}", read, KEPT)
        return found  # type: ignore[return-value]


def _per_day(votes: QuerySet[Judgment]) -> Iterable[tuple[date, int]]:
    days = dated(votes).annotate(day=TruncDate("submitted_at", tzinfo=UTC)).values("day")
    return days.annotate(votes=Count("pk")).order_by("day").values_list("day", "votes")


def _per_strength(votes: QuerySet[Judgment]) -> Iterable[tuple[Any, ...]]:
    sizes = votes.filter(strength__isnull=False).annotate(size=Abs("strength")).values("size", "strength_scale")
    counted = sizes.annotate(votes=Count("pk")).order_by("strength_scale", "size")
    return counted.values_list("size", "strength_scale", "votes")


def _read(statement: str, **values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[Any] = cursor.fetchall()
    return found


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
