"""The house rules of an arena, what they found, and how it looks to others what they found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from annotation.models import Turn
from arena.enums import FindingOutcome, JudgedText
from arena.models import Arena, HouseRule, RuleFinding
from inference_workers.enums import RuleAction
from inference_workers.policies.house_rules import REMOVES, Rule, RuleBook, as_data, rule_book

DAYS = 14


def rules_of(arena: Arena) -> QuerySet[HouseRule]:
    """Those of the whole site and its own, those too that are switched off."""
    return HouseRule.objects.filter(Q(arena=arena) | Q(arena__isnull=True))


def rules_in_force(arena: Arena) -> list[Rule]:
    rows = rules_of(arena).filter(is_active=True).order_by("pk")
    return [Rule(*each) for each in rows.values_list("pk", "kind", "pattern", "action", "on_visitors", "on_models")]


def book_in_force(arena: Arena) -> RuleBook:
    return rule_book(as_data(rules_in_force(arena)))


def shows_support(battle_id: UUID) -> bool:
    """Whether its visitor wrote something that calls for help."""
    return RuleFinding.objects.filter(battle=battle_id, action=RuleAction.SUPPORT).exists()


@dataclass(frozen=True)
class ListedRule:
    """A rule with how often it was broken on each of the last days, the oldest first, and in all."""

    rule: HouseRule
    by_day: Sequence[tuple[date, int]]
    total: int
    false_alarms: int

    @property
    def recent(self) -> int:
        return sum(count for _day, count in self.by_day)


def listed_rules(arena: Arena, *, now: datetime) -> list[ListedRule]:
    """In three statements however many there are."""
    rules = list(rules_of(arena).order_by("-is_active", "pk"))
    findings = RuleFinding.objects.filter(arena=arena)
    false = Count("pk", filter=Q(outcome=FindingOutcome.FALSE_ALARM))
    totals: dict[int, Any] = {
        row["rule"]: row for row in findings.values("rule").annotate(total=Count("pk"), false=false).order_by()
    }
    since = now - timedelta(days=DAYS - 1)
    recent = findings.filter(created_at__date__gte=since.date()).annotate(day=TruncDate("created_at"))
    days = {(r["rule"], r["day"]): r["n"] for r in recent.values("rule", "day").annotate(n=Count("pk")).order_by()}
    dates = [(since + timedelta(days=number)).date() for number in range(DAYS)]
    return [
        ListedRule(
            rule=rule,
            by_day=[(day, days.get((rule.pk, day), 0)) for day in dates],
            total=totals.get(rule.pk, {}).get("total", 0),
            false_alarms=totals.get(rule.pk, {}).get("false", 0),
        )
        for rule in rules
    ]


def findings_to_look_at(arena: Arena) -> QuerySet[RuleFinding]:
    """What nobody has looked at, the newest first. Masked texts are counted with their rules and not listed."""
    listed = RuleFinding.objects.filter(arena=arena, outcome="").exclude(action=RuleAction.MASK)
    related = ("rule", "battle__item", "battle__assignment", "respondent")
    return listed.select_related(*related).order_by("-pk")


@dataclass(frozen=True)
class RemovedRate:
    """How many answers of a model were asked for in an arena, and how many of them the house rules took out."""

    name: str
    asked: int
    removed: int
    rules: Sequence[tuple[str, int]] = field(default_factory=list)

    @property
    def percent(self) -> float:
        return 100 * self.removed / self.asked if self.asked else 0.0


def removed_rates(arena: Arena) -> list[RemovedRate]:
    """By model, the one with most first; each answer that was asked for anew counts as one more."""
    model = "contestant__revision__language_model__name"
    answers = Turn.objects.filter(response__item__battle__arena=arena).values(f"response__{model}")
    rows = answers.annotate(n=Count("pk") + Coalesce(Sum("replacements"), 0)).order_by()
    asked = {row[f"response__{model}"]: row["n"] for row in rows}
    removed = RuleFinding.objects.filter(arena=arena, about=JudgedText.ANSWER, action__in=REMOVES)
    by_name = "completion__revision__language_model__name"
    taken: dict[str, dict[str, int]] = {}
    for row in removed.values(by_name, "rule__name").annotate(n=Count("pk")).order_by("-n"):
        taken.setdefault(row[by_name], {})[row["rule__name"]] = row["n"]
    rates = [
        RemovedRate(name, count, sum(taken.get(name, {}).values()), list(taken.get(name, {}).items()))
        for name, count in asked.items()
        if name
    ]
    return sorted(rates, key=lambda rate: (-rate.percent, rate.name))
