from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.models import HouseRule


def switch_house_rule(*, rule_id: int, is_active: bool, actor: Person | None, now: datetime) -> HouseRule:
    """In force or not, from now on; what it found stays."""
    with transaction.atomic():
        rule = HouseRule.objects.select_for_update(of=["self"]).get(pk=rule_id)
        if rule.is_active == is_active:
            return rule
        rule.is_active = is_active
        rule.save(update_fields=["is_active"])
        record_event(subject=rule, verb="switched_on" if is_active else "switched_off", actor=actor)
    return rule
