"""When somebody's pace or side has drifted from their own, so that a break is offered. Nothing else follows from it.

The newest answers are compared with the person's own earlier ones, by ranks and counts alone, so that long items and
a pause do not count for more than one answer each. Somebody who does not change is offered a break at one look of 250
at most: two tests at LEVEL each, and a change of pace must be large besides. `tests/annotation/work/test_breaks.py`
counts it by simulation. A look is taken at every tenth answer, and there is half an hour between two offers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import comb, erfc, sqrt
from statistics import median

RECENT, EARLIER, LEAST_EARLIER = 20, 100, 40
EVERY = 10
AGAIN_AFTER = timedelta(minutes=30)
LEVEL = 0.002
# Half as long again, or two thirds: less is the items' doing, or practice.
LEAST_CHANGE = 1.5
# Fewer choices of a side among the newest answers show no leaning.
LEAST_SIDES = 10


@dataclass(frozen=True)
class Answer:
    """What one answer says of pace and side. `left` is None where neither side was chosen."""

    active_ms: int | None
    left: bool | None


@dataclass(frozen=True)
class Drift:
    """What drifted, "pace" or "side", from where to where: seconds, or the share of the side shown first."""

    what: str
    before: float
    after: float


def is_due(answers: int) -> bool:
    """Whether this answer, the person's `answers`-th, is one after which is looked."""
    return answers % EVERY == 0 and answers >= RECENT + LEAST_EARLIER


def may_offer(offered_at: datetime | None, now: datetime) -> bool:
    return offered_at is None or now - offered_at >= AGAIN_AFTER


def drift_of(answers: Sequence[Answer]) -> Drift | None:
    """`answers` are one person's, the newest first; older ones than are needed do not count."""
    recent, earlier = answers[:RECENT], answers[RECENT : RECENT + EARLIER]
    if len(recent) < RECENT or len(earlier) < LEAST_EARLIER:
        return None
    return _pace(recent, earlier) or _side(recent, earlier)


def _pace(recent: Sequence[Answer], earlier: Sequence[Answer]) -> Drift | None:
    new = [each.active_ms for each in recent if each.active_ms]
    old = [each.active_ms for each in earlier if each.active_ms]
    if len(new) < RECENT // 2 or len(old) < LEAST_EARLIER // 2:
        return None
    before, after = median(old), median(new)
    if 1 / LEAST_CHANGE < after / before < LEAST_CHANGE or rank_sum_p(new, old) > LEVEL:
        return None
    return Drift("pace", round(before / 1000, 1), round(after / 1000, 1))


def _side(recent: Sequence[Answer], earlier: Sequence[Answer]) -> Drift | None:
    new = [each.left for each in recent if each.left is not None]
    old = [each.left for each in earlier if each.left is not None]
    if len(new) < LEAST_SIDES or len(old) < LEAST_SIDES or fisher_p(sum(new), len(new), sum(old), len(old)) > LEVEL:
        return None
    return Drift("side", round(sum(old) / len(old), 3), round(sum(new) / len(new), 3))


def rank_sum_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p of the rank-sum test (Wilcoxon 1945, Mann and Whitney 1947), normal, with ties, continuous by ½."""
    n, m = len(first), len(second)
    pooled = sorted([*((value, 1) for value in first), *((value, 0) for value in second)])
    rank_sum, ties, start = 0.0, 0, 0
    while start < len(pooled):
        end = start
        while end < len(pooled) and pooled[end][0] == pooled[start][0]:
            end += 1
        rank_sum += (start + end + 1) / 2 * sum(mine for _value, mine in pooled[start:end])
        ties += (end - start) ** 3 - (end - start)
        start = end
    whole = n + m
    variance = n * m / 12 * (whole + 1 - ties / (whole * (whole - 1)))
    if variance <= 0:
        return 1.0
    away = max(0.0, abs(rank_sum - n * (whole + 1) / 2) - 0.5)
    return erfc(away / sqrt(2 * variance))


def fisher_p(yes: int, of: int, other_yes: int, other_of: int) -> float:
    """Two-sided p of Fisher's exact test: of all tables with these sums, those no likelier than this one."""
    whole, total = yes + other_yes, of + other_of
    ways = [
        comb(of, k) * comb(other_of, whole - k) if 0 <= whole - k <= other_of else 0 for k in range(min(of, whole) + 1)
    ]
    return sum(each for each in ways if each <= ways[yes]) / comb(total, whole)
