"""When an endpoint that fails is left alone, and how it is tried again. Times are the database's."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from foundation.transitions import check
from inference_workers.enums import BreakerState, Rejection
from inference_workers.transitions import BREAKER

# So many failures in a row, of whichever of its models, open it.
OPENS_AFTER = 5
# For how long, by how often it was opened since it last answered.
OPEN_SECONDS = (30, 60, 120, 300)

ENDPOINT_OPEN = "endpoint_open"
# Until an operator acts every further request is refused as well: one is enough to open it.
SHUT = frozenset({"endpoint_key_refused", "endpoint_no_credit"})
# Faults that the next request would meet too. What a prompt can bring about (refused, filtered, too long) is none of
# them: a visitor could take an endpoint from everybody else.
FAULTS = frozenset(
    {
        "endpoint_unreachable",
        "endpoint_timeout",
        "endpoint_truncated",
        "endpoint_protocol",
        "endpoint_unusable",
        "timeout",
    }
)


class Verdict(StrEnum):
    """What the end of an attempt says of its endpoint."""

    ANSWERED = "answered"
    FAILED = "failed"
    SHUT = "shut"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Breaker:
    state: str = BreakerState.CLOSED
    failures: int = 0
    openings: int = 0
    opened_until: datetime | None = None
    probe: UUID | None = None


def verdict_of(code: str, *, retryable: bool) -> Verdict:
    """An answer that was held back for what it says is an answer all the same."""
    if not code or code in Rejection.values:
        return Verdict.ANSWERED
    if code in SHUT:
        return Verdict.SHUT
    if code in FAULTS or (code == "endpoint_status" and retryable):
        return Verdict.FAILED
    return Verdict.NOTHING


def after(breaker: Breaker, verdict: Verdict, *, completion: UUID, now: datetime) -> Breaker:
    """The breaker once an attempt has ended. While it is not closed only its probe decides: others began before."""
    if breaker.state == BreakerState.CLOSED:
        if verdict == Verdict.ANSWERED:
            return Breaker()
        if verdict == Verdict.NOTHING:
            return breaker
        failures = OPENS_AFTER if verdict == Verdict.SHUT else breaker.failures + 1
        return replace(breaker, failures=failures) if failures < OPENS_AFTER else _opened(breaker, now)
    if breaker.state == BreakerState.OPEN or breaker.probe != completion:
        return breaker
    if verdict == Verdict.ANSWERED:
        check(BREAKER, breaker.state, BreakerState.CLOSED)
        return Breaker()
    return _opened(breaker, now) if verdict in (Verdict.FAILED, Verdict.SHUT) else replace(breaker, probe=None)


def may_be_tried(breaker: Breaker, *, now: datetime, probe_runs: bool) -> bool:
    """Whether one completion may be sent to an endpoint that is not closed. A probe whose worker died leaves its place
    to the next."""
    if breaker.state == BreakerState.OPEN:
        return breaker.opened_until is not None and breaker.opened_until <= now
    return breaker.state == BreakerState.HALF_OPEN and not probe_runs


def tried_with(breaker: Breaker, completion: UUID) -> Breaker:
    if breaker.state == BreakerState.OPEN:
        check(BREAKER, breaker.state, BreakerState.HALF_OPEN)
    return replace(breaker, state=BreakerState.HALF_OPEN, probe=completion)


def _opened(breaker: Breaker, now: datetime) -> Breaker:
    check(BREAKER, breaker.state, BreakerState.OPEN)
    seconds = OPEN_SECONDS[min(breaker.openings, len(OPEN_SECONDS) - 1)]
    return Breaker(
        state=BreakerState.OPEN, openings=breaker.openings + 1, opened_until=now + timedelta(seconds=seconds)
    )
