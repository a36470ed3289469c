"""How many of an arena's votes blocks have taken out, and the alarm when they are many."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from django.db import connection
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from arena.models import Arena
from foundation.database import lone_connection

log = structlog.get_logger(__name__)

DAYS = 30
# Of fewer votes a share says nothing.
LEAST_VOTES = 20
# One statement says it, to a page of one arena and to Prometheus of all.
COUNTED = """
SELECT b.arena_id, count(*), count(*) FILTER (WHERE r.state = 'blocked')
FROM arena_battle b
JOIN annotation_assignment a ON a.id = b.assignment_id
JOIN annotation_respondent r ON r.id = a.respondent_id
WHERE b.state IN ('voted', 'held') AND b.mode = 'anonymous' AND b.ended_at > %(since)s
    AND (%(arena)s::bigint IS NULL OR b.arena_id = %(arena)s::bigint)
GROUP BY b.arena_id ORDER BY b.arena_id
"""


@dataclass(frozen=True)
class Excluded:
    """Of the counted votes of the last days; `limit` is the arena's, in percent, or None."""

    votes: int
    set_apart: int
    limit: int | None

    @property
    def percent(self) -> float:
        return 100 * self.set_apart / self.votes if self.votes else 0.0

    @property
    def is_alarming(self) -> bool:
        return self.limit is not None and self.votes >= LEAST_VOTES and self.percent > self.limit


def excluded_in(arena: Arena, *, now: datetime) -> Excluded:
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, _of(arena.pk, now))
        _arena, votes, set_apart = cursor.fetchone() or (arena.pk, 0, 0)
    return Excluded(votes, set_apart, arena.excluded_alarm)


def _of(arena_id: int | None, now: datetime) -> dict[str, Any]:
    return {"arena": arena_id, "since": now - timedelta(days=DAYS)}


class ExcludedCollector(Collector):
    """The share by arena for Prometheus, read anew; says nothing while PostgreSQL is away."""

    def collect(self) -> Iterator[Metric]:
        try:
            with lone_connection() as lone:
                rows = lone.execute(COUNTED, _of(None, timezone.now())).fetchall()
        except psycopg.Error as error:
            log.warning("excluded_shares_not_measured", error=type(error).__name__)
            return
        meaning = "Share of an arena's votes of the last 30 days that blocks have taken out."
        family = GaugeMetricFamily("cardinal_arena_excluded_share", meaning, labels=["arena"])
        for arena, votes, set_apart in rows:
            family.add_metric([str(arena)], Excluded(votes, set_apart, None).percent / 100)
        yield family
