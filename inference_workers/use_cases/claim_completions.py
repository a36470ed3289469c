from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from inference_workers.models import Completion

# Counting what is free and then taking it lets two workers take the same row; a locked row is skipped instead.
# MATERIALIZED: a plan that ran the inner query twice would claim more than the limit.
CLAIM = """
WITH chosen AS MATERIALIZED (
    SELECT q.id FROM inference_workers_completion q
    JOIN inference_workers_languagemodelrevision r ON r.id = q.revision_id
    WHERE q.state = 'queued' AND q.claimable_at <= clock_timestamp() AND r.endpoint_id = %(endpoint)s
      AND (q.error_code = 'worker_lost' AND q.attempt > 0 AND q.attempt = q.max_attempts - 1) = %(suspect)s
    ORDER BY q.priority, q.created_at, q.id LIMIT %(limit)s FOR UPDATE OF q SKIP LOCKED
)
UPDATE inference_workers_completion c
SET state = 'running', attempt = c.attempt + 1, started_at = %(now)s, lease_token = gen_random_uuid(),
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
FROM chosen WHERE c.id = chosen.id
RETURNING c.id
"""


def claim_completions(
    *, endpoint_id: int, limit: int, lease: timedelta, now: datetime, suspect: bool = False
) -> Sequence[Completion]:
    """Take up to `limit` waiting completions of one endpoint, people's before batches', oldest first.

    Each is leased on the database's clock under a token of its own. With `suspect` come those that stand before their
    last attempt because their workers kept dying, and without it all others: whoever runs a suspect runs it alone, so
    that a completion that kills its worker does not use up its neighbours' attempts.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "endpoint": endpoint_id,
                "limit": limit,
                "lease": lease.total_seconds(),
                "now": now,
                "suspect": suspect,
            },
        )
        claimed = [row[0] for row in cursor.fetchall()]
    if not claimed:
        return []
    related = ("revision__endpoint", "revision__language_model")
    return list(
        Completion.objects.filter(pk__in=claimed).select_related(*related).order_by("priority", "created_at", "pk")
    )
