from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.enums import FindingOutcome
from arena.models import RuleFinding


def look_at_finding(*, finding_id: int, outcome: FindingOutcome, actor: Person | None, now: datetime) -> RuleFinding:
    """Note what an admin made of a finding; a later look replaces it, and both are events."""
    with transaction.atomic():
        finding = RuleFinding.objects.select_for_update(of=["self"]).get(pk=finding_id)
        finding.outcome, finding.looked_at = outcome, now
        finding.save(update_fields=["outcome", "looked_at"])
        record_event(subject=finding, verb="looked_at", actor=actor, data={"outcome": outcome})
    return finding
