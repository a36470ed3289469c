from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.enums import VerdictOutcome
from arena.models import Verdict


def look_at_verdict(*, verdict_id: int, outcome: VerdictOutcome, actor: Person | None, now: datetime) -> Verdict:
    """Note what an admin made of a verdict; a later look replaces it, and both are events."""
    with transaction.atomic():
        verdict = Verdict.objects.select_for_update(of=["self"]).get(pk=verdict_id)
        verdict.outcome, verdict.looked_at = outcome, now
        verdict.save(update_fields=["outcome", "looked_at"])
        record_event(subject=verdict, verb="looked_at", actor=actor, data={"outcome": outcome})
    return verdict
