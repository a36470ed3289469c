from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

RENEW = """
UPDATE inference_workers_completion c SET lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) AS held (id, token)
WHERE c.id = held.id AND c.lease_token = held.token AND c.state = 'running'
RETURNING c.id
"""


def renew_leases(*, held: Mapping[UUID, UUID], lease: timedelta) -> set[UUID]:
    """Extend the leases of completions by their tokens. Returns those still held; the others were cancelled, or given
    to another worker, and must be stopped."""
    if not held:
        return set()
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"ids": list(held), "tokens": list(held.values()), "lease": lease.total_seconds()}
        cursor.execute(RENEW, values)
        return {row[0] for row in cursor.fetchall()}
