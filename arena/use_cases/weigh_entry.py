from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.use_cases.record_event import record_event
from arena.errors import ArenaError
from arena.models import Entry
from arena.policies import HEAVIEST


class BadWeight(ArenaError):
    """What was asked for is no weight, or a boost that never ends."""


def weigh_entry(
    *,
    entry_id: int,
    weight: float,
    boost: float,
    boost_until: datetime | None,
    actor: Person | None,
    now: datetime,
) -> Entry:
    """How often a model is drawn beside the others; a boost raises that until its end. Raises BadWeight."""
    if not (0 < weight <= HEAVIEST and 1 <= boost <= HEAVIEST):
        raise BadWeight(f"a weight is above 0, a boost at least 1, and both at most {HEAVIEST}")
    if boost == 1:
        boost_until = None
    elif boost_until is None or boost_until <= now:
        raise BadWeight("a boost ends at a moment that has not passed")
    with transaction.atomic():
        entry = Entry.objects.select_for_update(of=["self"]).get(pk=entry_id)
        before = {"weight": entry.weight, "boost": entry.boost}
        if (weight, boost, boost_until) == (entry.weight, entry.boost, entry.boost_until):
            return entry
        entry.weight, entry.boost, entry.boost_until = weight, boost, boost_until
        entry.save(update_fields=["weight", "boost", "boost_until"])
        until = boost_until.isoformat() if boost_until else None
        data = {"weight": weight, "boost": boost, "boost_until": until, "before": before}
        record_event(subject=entry, verb="weighed", actor=actor, data=data)
    return entry
