from datetime import UTC, datetime
from decimal import Decimal

from inference_workers.enums import BreakerState
from inference_workers.models import Completion, EndpointGauge
from inference_workers.policies.breaker import after, verdict_of
from inference_workers.policies.limits import filled
from inference_workers.policies.prices import Prices, Usage, cost_of
from inference_workers.use_cases.lock_gauge import breaker_of, lock_gauge, set_breaker, spent_today


def note_attempt(
    completion: Completion, *, code: str = "", retryable: bool = False, usage: Usage | None = None
) -> dict[str, Decimal | None]:
    """Write to its endpoint's gauge how an attempt of a locked completion ended, in the caller's transaction: whether
    the endpoint answered, and what it is paid for at the price of this moment. Returns the completion's columns of cost
    with this attempt; None where no price is known, or nothing is a guess."""
    revision = completion.revision
    gauge, clock = lock_gauge(endpoint_id=revision.endpoint_id)
    changed = _note_breaker(gauge, completion, code, retryable, clock)
    changed |= _note_tokens(gauge, completion.drawn_with["max_tokens"], usage, clock)
    cost = None
    if usage is not None:
        cost = cost_of(usage, Prices.of(revision))
    if cost:
        add_spent(gauge, cost, clock)
        changed = True
    if changed:
        gauge.save()
    return with_attempt(completion, cost, is_guess=usage is not None and usage.unheard)


def with_attempt(completion: Completion, cost: Decimal | None, *, is_guess: bool) -> dict[str, Decimal | None]:
    """The columns of cost of a completion after an attempt that cost so much."""
    charged, guessed = completion.cost, completion.estimated_cost
    if cost is not None:
        charged = (charged or Decimal()) + cost
        guessed = (guessed or Decimal()) + cost if is_guess else guessed
    return {"cost": charged, "estimated_cost": guessed}


def add_spent(gauge: EndpointGauge, amount: Decimal, clock: datetime) -> None:
    """To the locked row, not yet to the database; a day is one of UTC, and what was charged before it stays there."""
    gauge.spent_today = max(spent_today(gauge, clock) + amount, Decimal())
    gauge.spent_on = clock.astimezone(UTC).date()


def _note_breaker(gauge: EndpointGauge, completion: Completion, code: str, retryable: bool, clock: datetime) -> bool:
    before = breaker_of(gauge)
    is_probe = gauge.state == BreakerState.HALF_OPEN and gauge.probe == completion.pk
    verdict = verdict_of(code, retryable=retryable)
    changed = set_breaker(gauge, after(before, verdict, completion=completion.pk, now=clock))
    if changed and gauge.state != before.state:
        gauge.opened_for = code if gauge.state == BreakerState.OPEN else ""
    if is_probe:
        gauge.probed_at, gauge.probe_code = clock, code
    return changed or is_probe


def _note_tokens(gauge: EndpointGauge, reserved: int, usage: Usage | None, clock: datetime) -> bool:
    """A claim took the most that an answer may have; what was not used comes back. Unknown use takes all of it."""
    per_minute = gauge.endpoint.tokens_per_minute
    if per_minute is None or usage is None or gauge.tokens_left is None:
        return False
    seconds = (clock - gauge.filled_at).total_seconds()
    gauge.requests_left = filled(gauge.requests_left, gauge.endpoint.requests_per_minute, seconds)
    left = filled(gauge.tokens_left, per_minute, seconds)
    gauge.tokens_left = None if left is None else left + reserved - usage.tokens
    gauge.filled_at = max(clock, gauge.filled_at)
    return True
