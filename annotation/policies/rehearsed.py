"""From what a dry run took to what the whole campaign will take, in judgments, people, hours and money."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from math import ceil
from typing import Any

SECONDS = 60  # an item, where the campaign expects nothing
HOUR = 3600
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Took:
    """What the simulated people gave, by what it was for."""

    finished: int  # items of work that got all their judgments, those that disagreement added among them
    of_finished: int  # judgments of these
    work: int
    repeats: int
    checks: int  # gold and attention, beside work
    first: int  # training and test, before work
    anchors: int
    people: int  # who judged anything
    screened_out: int


@dataclass(frozen=True)
class Plan:
    """What the campaign is set to; None is no limit."""

    items: int
    overlap: int
    check_items: int = 0  # gold and attention; nobody meets one twice
    per_person: int | None = None
    share_per_person: float | None = None
    pay: Decimal | None = None
    screen_out_pay: Decimal | None = None
    seconds: int | None = None
    budget_judgments: int | None = None
    budget_money: Decimal | None = None


@dataclass(frozen=True)
class Forecast:
    """What the whole campaign will take if people are as those of the dry run."""

    items: int
    per_item: float
    work: int
    repeats: int
    checks: int
    first: int
    anchors: int
    people: int  # who begin
    screened_out: int
    cost: Decimal | None
    seconds: int
    stops_at: int | None  # judgments of all kinds, where the budget ends before the work
    work_at_stop: int
    stopped_by: str  # judgments or money

    @property
    def total(self) -> int:
        return self.work + self.repeats + self.checks + self.first + self.anchors

    def plain(self) -> dict[str, Any]:
        """As the report of a dry run keeps it."""
        shown = ("items", "work", "repeats", "checks", "first", "anchors", "total", "people", "screened_out")
        stop = {"stops_at": self.stops_at, "work_at_stop": self.work_at_stop, "stopped_by": self.stopped_by}
        return {name: getattr(self, name) for name in shown} | {"per_item": round(self.per_item, 2)} | stop


def forecast(took: Took, plan: Plan) -> Forecast:
    """Work grows with the items; repeats and checks grow with the work, but nobody meets a check twice; training, test
    and anchors grow with the people, of whom there are as many as in the dry run, or as many as the most judgments per
    person ask for. Whoever is screened out is replaced by somebody else who begins."""
    per_item = took.of_finished / took.finished if took.finished else float(plan.overlap)
    work = ceil(round(plan.items * per_item, 6))
    people, screened_out = _people(took, plan, work)
    checks = min(_in_proportion(took.checks, took.work, work), people * plan.check_items)
    parts = {
        "work": work,
        "repeats": _in_proportion(took.repeats, took.work, work),
        "checks": checks,
        "first": _in_proportion(took.first, took.people, people),
        "anchors": _in_proportion(took.anchors, took.people, people),
    }
    total = sum(parts.values())
    cost = None if plan.pay is None else plan.pay * total + (plan.screen_out_pay or 0) * screened_out
    stops_at, stopped_by = _stop(plan, total)
    return Forecast(
        items=plan.items,
        per_item=per_item,
        **parts,
        people=people,
        screened_out=screened_out,
        cost=None if cost is None else cost.quantize(CENT),
        seconds=total * (plan.seconds or SECONDS),
        stops_at=stops_at,
        work_at_stop=work if stops_at is None else work * stops_at // max(total, 1),
        stopped_by=stopped_by,
    )


def _people(took: Took, plan: Plan, work: int) -> tuple[int, int]:
    """Who begin, and how many of them are screened out."""
    caps = [plan.per_person] if plan.per_person else []
    caps += [max(1, int(plan.share_per_person * work))] if plan.share_per_person else []
    stay = took.people - took.screened_out
    needed = max(ceil(work / min(caps)) if caps else 0, stay, plan.overlap if work else 0)
    if needed <= stay or not took.people or not stay:
        return took.people, took.screened_out
    began = ceil(needed * took.people / stay)
    return began, began - needed


def _in_proportion(count: int, of: int, to: int) -> int:
    return ceil(round(count * to / of, 6)) if of else 0


def _stop(plan: Plan, total: int) -> tuple[int | None, str]:
    """A campaign ends with its most judgments, or where one more could not be paid; every judgment counts there."""
    limits: Mapping[str, int | None] = {
        "judgments": plan.budget_judgments,
        "money": int((plan.budget_money / plan.pay).to_integral_value(ROUND_DOWN))
        if plan.budget_money is not None and plan.pay
        else None,
    }
    ends = [(limit, name) for name, limit in limits.items() if limit is not None and limit < total]
    return min(ends) if ends else (None, "")
