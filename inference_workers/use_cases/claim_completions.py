from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from inference_workers.enums import BreakerState, Priority
from inference_workers.models import Completion, EndpointGauge
from inference_workers.policies.breaker import may_be_tried, tried_with
from inference_workers.policies.limits import Left, Wanted, affordable, filled
from inference_workers.policies.prices import PICTURE_TOKENS
from inference_workers.use_cases.lock_gauge import breaker_of, lock_gauge, set_breaker, spent_today

# At most: a token has at least one byte, a picture so many of them, and an answer has its length limit. A file counts
# with the longest that its model makes.
MOST_OF_A_FILE = """
CASE WHEN r.output = 'text' THEN 0 ELSE
    coalesce(m.price_file, 0) + coalesce(m.price_second * m.longest_seconds, 0) END
"""
MOST_COST = f"""
({MOST_OF_A_FILE}
+ ((coalesce(octet_length(q.messages::text), octet_length(p.sealed), 0) + octet_length(r.system_prompt)
    + q.pictures * {PICTURE_TOKENS})
    * coalesce(m.price_read, 0) + CASE WHEN r.output = 'text' THEN
        coalesce((q.sampling->>'max_tokens')::bigint, r.max_tokens) * coalesce(m.price_written, 0) ELSE 0 END)
    / 1000000)
"""
JOINED = """
FROM inference_workers_completion q
JOIN inference_workers_languagemodelrevision r ON r.id = q.revision_id
JOIN inference_workers_languagemodel m ON m.id = r.language_model_id
LEFT JOIN accounts_personaltext p ON p.id = q.personal_messages_id
"""
# Counted, and under the gauge's lock: it cannot drift, and what another worker has just claimed is in it. A lease that
# ran out is nobody's.
RUNNING = f"""
SELECT count(*), coalesce(sum({MOST_COST}), 0), coalesce(bool_or(q.id = %(probe)s), false) {JOINED}
WHERE q.state = 'running' AND q.lease_expires_at > clock_timestamp() AND r.endpoint_id = %(endpoint)s
"""
# Others may hold a row for another reason: who cancels it is not waited for.
CANDIDATES = f"""
SELECT q.id, q.priority, coalesce((q.sampling->>'max_tokens')::bigint, r.max_tokens), {MOST_COST} {JOINED}
WHERE q.state = 'queued' AND q.claimable_at <= clock_timestamp() AND r.endpoint_id = %(endpoint)s
  AND (q.error_code = 'worker_lost' AND q.attempt > 0 AND q.attempt = q.max_attempts - 1) = %(suspect)s
  AND q.priority >= %(from_priority)s
ORDER BY q.priority, q.created_at, q.id LIMIT %(limit)s FOR UPDATE OF q SKIP LOCKED
"""
CLAIM = """
UPDATE inference_workers_completion c
SET state = 'running', attempt = attempt + 1, started_at = %(now)s, lease_token = gen_random_uuid(),
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s),
    reserved_cost = least(chosen.cost, 99999999)
FROM unnest(%(ids)s::uuid[], %(costs)s::numeric[]) AS chosen (id, cost) WHERE c.id = chosen.id
"""


def claim_completions(
    *, endpoint_id: int, limit: int, lease: timedelta, now: datetime, suspect: bool = False
) -> Sequence[Completion]:
    """Take up to `limit` waiting completions of one endpoint, people's before batches', oldest first, and no more than
    its limits allow all workers together: at once, in a minute, for a day's budget, and while it is left alone.

    Each is leased on the database's clock under a token of its own. With `suspect` come those that stand before their
    last attempt because their workers kept dying, and without it all others: whoever runs a suspect runs it alone, so
    that a completion that kills its worker does not use up its neighbours' attempts.
    """
    with transaction.atomic():
        gauge, clock = lock_gauge(endpoint_id=endpoint_id)
        running = _running(gauge)
        room = min(limit, gauge.endpoint.capacity - running.count)
        if gauge.state != BreakerState.CLOSED:
            room = min(room, int(may_be_tried(breaker_of(gauge), now=clock, probe_runs=running.probe)))
        wanted = _candidates(gauge, room, suspect=suspect) if room > 0 else []
        left = _left(gauge, clock, reserved=running.most_cost)
        chosen = affordable(wanted, left, tokens_per_minute=gauge.endpoint.tokens_per_minute)
        if not chosen:
            return []
        ids = [each.id for each in chosen]
        with connection.cursor() as cursor:
            costs = [each.most_cost for each in chosen]
            cursor.execute(CLAIM, {"ids": ids, "costs": costs, "lease": lease.total_seconds(), "now": now})
        _take(gauge, chosen, left, clock)
    related = ("revision__endpoint", "revision__language_model", "rule_set")
    return list(Completion.objects.filter(pk__in=ids).select_related(*related).order_by("priority", "created_at", "pk"))


@dataclass(frozen=True, slots=True)
class _Running:
    count: int
    most_cost: Decimal
    probe: bool


def _running(gauge: EndpointGauge) -> _Running:
    with connection.cursor() as cursor:
        cursor.execute(RUNNING, {"endpoint": gauge.pk, "probe": gauge.probe})
        return _Running(*cursor.fetchone())


def _candidates(gauge: EndpointGauge, limit: int, *, suspect: bool) -> list[Wanted]:
    """Nobody who waits is made to try an endpoint that failed."""
    lowest = Priority.VISITOR if gauge.state == BreakerState.CLOSED else Priority.PROBE
    values: dict[str, Any] = {"endpoint": gauge.pk, "limit": limit, "suspect": suspect, "from_priority": lowest}
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, values)
        return [
            Wanted(pk, priority != Priority.VISITOR, tokens, cost) for pk, priority, tokens, cost in cursor.fetchall()
        ]


def _left(gauge: EndpointGauge, clock: datetime, *, reserved: Decimal) -> Left:
    endpoint, seconds = gauge.endpoint, (clock - gauge.filled_at).total_seconds()
    budget = endpoint.daily_budget
    return Left(
        requests=filled(gauge.requests_left, endpoint.requests_per_minute, seconds),
        tokens=filled(gauge.tokens_left, endpoint.tokens_per_minute, seconds),
        budget=None if budget is None else budget - spent_today(gauge, clock) - reserved,
    )


def _take(gauge: EndpointGauge, chosen: Sequence[Wanted], left: Left, clock: datetime) -> None:
    """Write to the locked gauge what the chosen ones use up."""
    changed = gauge.state != BreakerState.CLOSED and set_breaker(gauge, tried_with(breaker_of(gauge), chosen[0].id))
    if left.requests is not None or left.tokens is not None:
        changed = True
        gauge.filled_at = max(clock, gauge.filled_at)
        gauge.requests_left = None if left.requests is None else left.requests - len(chosen)
        most = sum(each.most_tokens for each in chosen)
        gauge.tokens_left = None if left.tokens is None else left.tokens - most
    if changed:
        gauge.save()
