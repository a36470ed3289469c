from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.enums import EntryState
from arena.errors import ArenaError
from arena.models import Entry
from arena.transitions import ENTRY
from foundation.text import clean_text
from foundation.transitions import check


class ReasonMissing(ArenaError):
    """Whoever takes a model out of an arena says why; everybody reads it."""


def change_entry(*, entry_id: int, to: str, reason: str, actor: Person | None, now: datetime) -> Entry:
    """Pause a model in an arena, let it leave, or let it come back. What it has achieved stays where it is.

    Raises ForbiddenTransition, and ReasonMissing where it leaves without one.
    """
    said = clean_text(reason).strip()[:300]
    with transaction.atomic():
        entry = Entry.objects.select_for_update(of=["self"]).get(pk=entry_id)
        check(ENTRY, entry.state, to)
        if to == EntryState.RETIRED and not said:
            raise ReasonMissing("a model leaves for a reason")
        before, entry.state, entry.reason = entry.state, to, said
        entry.ended_at = now if to == EntryState.RETIRED else None
        entry.save(update_fields=["state", "reason", "ended_at"])
        record_event(subject=entry, verb="state_changed", actor=actor, from_state=before, to_state=to, reason=said)
    return entry
