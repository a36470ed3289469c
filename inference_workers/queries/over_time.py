"""How a language model was, hour by hour or day by day, and what its regular probes found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from inference_workers.enums import Priority
from inference_workers.models import Completion

PROBES_SHOWN = 24
# Of what has ended, by the index of what has ended.
SERIES = """
SELECT date_bin(%(step)s, c.finished_at, %(begin)s), count(*), count(*) FILTER (WHERE c.state = 'failed'),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY c.first_token_seconds)
        FILTER (WHERE c.state = 'succeeded'),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY c.total_seconds) FILTER (WHERE c.state = 'succeeded'),
    sum(c.completion_tokens) / nullif(sum(c.total_seconds) FILTER (WHERE c.completion_tokens IS NOT NULL), 0),
    coalesce(sum(c.cost), 0), coalesce(sum(c.estimated_cost), 0)
FROM inference_workers_completion c JOIN inference_workers_languagemodelrevision r ON r.id = c.revision_id
WHERE c.state IN ('succeeded', 'failed') AND c.finished_at >= %(begin)s AND c.finished_at < %(end)s
    AND r.language_model_id = %(model)s
GROUP BY 1
"""


@dataclass(frozen=True)
class Span:
    """`count` steps that end with the one that runs now, of UTC."""

    step: timedelta
    count: int

    def begin(self, now: datetime) -> datetime:
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        current = day + (now - day) // self.step * self.step
        return current - (self.count - 1) * self.step


SPANS: Mapping[str, Span] = {"day": Span(timedelta(hours=1), 24), "month": Span(timedelta(days=1), 30)}


@dataclass(frozen=True)
class Step:
    """What ended within it. Seconds are the median and what nineteen of twenty take at most, of what succeeded."""

    begin: datetime
    ended: int = 0
    failed: int = 0
    first_token: tuple[float | None, float | None] = (None, None)
    total: tuple[float | None, float | None] = (None, None)
    tokens_per_second: float | None = None
    cost: Decimal = Decimal()
    # How much of the cost is the most that attempts can have taken whose workers died.
    estimated: Decimal = Decimal()

    @property
    def percent_failed(self) -> float | None:
        return 100 * self.failed / self.ended if self.ended else None


def series_of(model_id: int, span: Span, now: datetime) -> list[Step]:
    """Every step of the span, the oldest first, also those in which nothing ended; in one statement."""
    begin = span.begin(now)
    end = begin + span.count * span.step
    values: dict[str, Any] = {"model": model_id, "step": span.step, "begin": begin, "end": end}
    with connection.cursor() as cursor:
        cursor.execute(SERIES, values)
        found = {row[0]: row for row in cursor.fetchall()}
    return [_step(begin + n * span.step, found.get(begin + n * span.step)) for n in range(span.count)]


def _step(begin: datetime, row: Any) -> Step:
    if row is None:
        return Step(begin)
    _, ended, failed, first, total, pace, cost, estimated = row
    unknown = (None, None)
    return Step(begin, ended, failed, tuple(first or unknown), tuple(total or unknown), pace, cost, estimated)


def probes_of(model_id: int) -> list[Completion]:
    """The last times that somebody looked how the model is, the newest first; by an index of their own."""
    rows = Completion.objects.filter(revision__language_model=model_id, priority=Priority.PROBE)
    return list(rows.select_related("revision").order_by("-created_at")[:PROBES_SHOWN])
