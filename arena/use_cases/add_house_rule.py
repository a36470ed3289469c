from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.models import Arena, HouseRule
from foundation.text import clean_text
from inference_workers.enums import RuleAction
from inference_workers.policies.default_rules import DEFAULT_RULES
from inference_workers.policies.house_rules import BadRule, Rule, check_rule


class UnusableRule(ArenaError):
    """A rule that cannot be looked for, or is for nobody; the message says why."""


def add_house_rule(
    *,
    arena: Arena | None,
    name: str,
    says: str,
    kind: str,
    pattern: str,
    action: str,
    on_visitors: bool,
    on_models: bool,
    actor: Person | None,
    now: datetime,
    key: str | None = None,
) -> HouseRule:
    """A rule of one arena, or of the whole site, in force from now on. Raises UnusableRule."""
    pattern = clean_text(pattern).strip()
    try:
        check_rule(Rule(0, kind, pattern, action, on_visitors, on_models))
    except BadRule as error:
        raise UnusableRule(str(error)) from error
    if action == RuleAction.SUPPORT:
        on_models = False
    if not (on_visitors or on_models):
        raise UnusableRule("a rule is for what visitors write, for what models answer, or for both")
    with transaction.atomic():
        rule = HouseRule.objects.create(
            arena=arena,
            key=key,
            name=clean_text(name).strip(),
            says=clean_text(says).strip(),
            kind=kind,
            pattern=pattern,
            action=action,
            on_visitors=on_visitors,
            on_models=on_models,
            created_at=now,
        )
        record_event(subject=rule, verb="added", actor=actor, data={"action": action, "kind": kind})
    return rule


def add_default_rules(*, now: datetime) -> int:
    """The rules that a site begins with, once each: one that was switched off stays off. Returns how many came."""
    there = set(HouseRule.objects.filter(key__isnull=False).values_list("key", flat=True))
    missing = [each for each in DEFAULT_RULES if each.key not in there]
    for each in missing:
        add_house_rule(
            arena=None,
            key=each.key,
            name=each.name,
            says=each.says,
            kind=each.kind,
            pattern=each.pattern,
            action=each.action,
            on_visitors=each.on_visitors,
            on_models=each.on_models,
            actor=None,
            now=now,
        )
    return len(missing)
