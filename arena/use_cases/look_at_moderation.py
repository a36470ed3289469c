from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.enums import FindingOutcome, ModerationState
from arena.errors import ArenaError
from arena.models import Moderation


class NothingStopped(ArenaError):
    """The moderation model let this through: there is nothing to mark."""


def look_at_moderation(
    *, moderation_id: int, outcome: FindingOutcome, actor: Person | None, now: datetime
) -> Moderation:
    """Note what an admin made of a text that the moderation model stopped; a later look replaces it, and both are
    events. Raises NothingStopped."""
    with transaction.atomic():
        row = Moderation.objects.select_for_update(of=["self"]).get(pk=moderation_id)
        if row.state != ModerationState.STOPPED:
            raise NothingStopped(f"moderation {row.pk} ended as {row.state}")
        row.outcome, row.looked_at = outcome, now
        row.save(update_fields=["outcome", "looked_at"])
        record_event(subject=row, verb="looked_at", actor=actor, data={"outcome": outcome})
    return row
