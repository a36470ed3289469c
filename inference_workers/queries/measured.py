"""What Prometheus is told of endpoints, by their ids: names could tell a reader of the figures who answers."""

from collections.abc import Iterator
from typing import Any

import psycopg
import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from foundation.database import lone_connection
from inference_workers.enums import BreakerState

log = structlog.get_logger(__name__)

# The last five minutes, by the index of what has ended.
MEASURED = """
SELECT e.id, coalesce(g.state, 'closed'),
    CASE WHEN g.spent_on = (now() AT TIME ZONE 'UTC')::date THEN g.spent_today ELSE 0 END,
    coalesce(w.queued, 0), coalesce(w.running, 0), d.failed, d.seconds, d.first_token
FROM inference_workers_endpoint e
LEFT JOIN inference_workers_endpointgauge g ON g.endpoint_id = e.id
LEFT JOIN (
    SELECT r.endpoint_id, count(*) FILTER (WHERE c.state = 'queued') AS queued,
        count(*) FILTER (WHERE c.state = 'running') AS running
    FROM inference_workers_completion c JOIN inference_workers_languagemodelrevision r ON r.id = c.revision_id
    WHERE c.state IN ('queued', 'running') GROUP BY r.endpoint_id
) w ON w.endpoint_id = e.id
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE c.state = 'failed') AS failed,
        avg(c.total_seconds) FILTER (WHERE c.state = 'succeeded') AS seconds,
        avg(c.first_token_seconds) FILTER (WHERE c.state = 'succeeded') AS first_token
    FROM inference_workers_languagemodelrevision r JOIN inference_workers_completion c ON c.revision_id = r.id
    WHERE r.endpoint_id = e.id AND c.state IN ('succeeded', 'failed') AND c.finished_at > now() - interval '5 minutes'
) d ON true
ORDER BY e.id
"""
STATES = list(BreakerState.values)
GAUGES = {
    "breaker": "0 answering, 1 left alone, 2 being tried.",
    "spent_dollars": "What its completions have cost today.",
    "queued": "Completions that wait.",
    "running": "Completions in hand.",
    "failed": "Completions that failed in the last five minutes.",
    "seconds": "What a completion took, on average of the last five minutes.",
    "first_token_seconds": "What its first token took, likewise.",
}


class EndpointCollector(Collector):
    """Asked anew at every reading, on a connection beside the requests'. Says nothing while PostgreSQL is away."""

    def collect(self) -> Iterator[Metric]:
        try:
            with lone_connection() as connection:
                rows = connection.execute(MEASURED).fetchall()
        except psycopg.Error as error:
            log.warning("endpoints_not_measured", error=type(error).__name__)
            return
        for place, (name, meaning) in enumerate(GAUGES.items(), start=1):
            yield _family(name, meaning, [(row[0], row[place]) for row in rows])


def _family(name: str, meaning: str, values: list[tuple[int, Any]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"cardinal_endpoint_{name}", meaning, labels=["endpoint"])
    for endpoint, value in values:
        if value is not None:
            number = STATES.index(value) if name == "breaker" else float(value)
            family.add_metric([str(endpoint)], number)
    return family
