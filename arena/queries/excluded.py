"""How many of an arena's votes blocks have taken out, and the alarm when they are many."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import structlog
from django.db.models import Count, Q
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from annotation.enums import RespondentState
from arena.enums import BattleState
from arena.models import Arena, Battle
from foundation.database import lone_connection

log = structlog.get_logger(__name__)

DAYS = 30
# Of fewer votes a share says nothing.
LEAST_VOTES = 20
VOTED = (BattleState.VOTED, BattleState.HELD)
SHARES = """
SELECT b.arena_id, count(*) FILTER (WHERE r.state = 'blocked')::float / count(*)
FROM arena_battle b
JOIN annotation_assignment a ON a.id = b.assignment_id
JOIN annotation_respondent r ON r.id = a.respondent_id
WHERE b.state IN ('voted', 'held') AND b.mode = 'anonymous' AND b.ended_at > now() - make_interval(days => %(days)s)
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
    counted = Battle.objects.filter(
        arena=arena, state__in=VOTED, mode="anonymous", ended_at__gt=now - timedelta(days=DAYS)
    )
    blocked = Q(assignment__respondent__state=RespondentState.BLOCKED)
    found = counted.aggregate(votes=Count("pk"), set_apart=Count("pk", filter=blocked))
    return Excluded(**found, limit=arena.excluded_alarm)


class ExcludedCollector(Collector):
    """The share by arena for Prometheus, read anew; says nothing while PostgreSQL is away."""

    def collect(self) -> Iterator[Metric]:
        try:
            with lone_connection() as connection:
                rows = connection.execute(SHARES, {"days": DAYS}).fetchall()
        except psycopg.Error as error:
            log.warning("excluded_shares_not_measured", error=type(error).__name__)
            return
        meaning = "Share of an arena's votes of the last 30 days that blocks have taken out."
        family = GaugeMetricFamily("cardinal_arena_excluded_share", meaning, labels=["arena"])
        for arena, share in rows:
            family.add_metric([str(arena)], share)
        yield family
