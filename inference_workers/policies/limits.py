"""How much of what waits may start at an endpoint: requests and tokens a minute, and a day's budget for batches."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

# What may come at once, as a share of a minute's. It is taken off what comes back within the minute, so that no minute
# holds more than its limit, wherever it begins.
BURST_SHARE = 6
# What more a minute may bring back: with it less than one request too many, so none.
ALMOST_ONE = 0.99
# Sums of many small floats.
SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Wanted:
    """A completion that waits, and what it can cost at most."""

    id: UUID
    is_batch: bool
    most_tokens: int
    most_cost: Decimal


@dataclass(frozen=True, slots=True)
class Left:
    """None where there is no limit."""

    requests: float | None
    tokens: float | None
    budget: Decimal | None


def burst_of(per_minute: int) -> int:
    return max(1, per_minute // BURST_SHARE)


def filled(left: float | None, per_minute: int | None, seconds: float) -> float | None:
    """A bucket after so many seconds; one that was never used is full."""
    if per_minute is None:
        return None
    burst = burst_of(per_minute)
    if left is None:
        return float(burst)
    return min(float(burst), left + max(seconds, 0.0) * (per_minute - burst + ALMOST_ONE) / 60)


def affordable(wanted: Sequence[Wanted], left: Left, *, tokens_per_minute: int | None = None) -> list[Wanted]:
    """The first of those that wait, in their order: none overtakes one that has to wait.

    A completion that may write more tokens than ever come together starts once the bucket is full. People's
    completions know no budget.
    """
    room = len(wanted) if left.requests is None else math.floor(left.requests + SLACK)
    tokens, budget = left.tokens, left.budget
    chosen: list[Wanted] = []
    for each in wanted[: max(room, 0)]:
        if tokens is not None and tokens_per_minute is not None:
            if tokens + SLACK < min(each.most_tokens, burst_of(tokens_per_minute)):
                break
            tokens -= each.most_tokens
        if budget is not None and each.is_batch:
            if each.most_cost > budget:
                break
            budget -= each.most_cost
        chosen.append(each)
    return chosen
