from datetime import datetime

from django.db import connection, transaction

from accounts.models import Person
from annotation.enums import ItemState
from annotation.models import Item
from annotation.transitions import ITEM
from annotation.use_cases.record_event import record_event
from foundation.transitions import check

# In the order in which a judgment takes its locks: first the assignment, then the slot and the item.
LOCK_ASSIGNMENTS = """
SELECT id FROM annotation_assignment WHERE item_id = ANY(%(items)s) AND state = 'open' ORDER BY id FOR UPDATE
"""
# Whoever holds a slot loses it, and their impression says how it ended.
CANCEL_SLOTS = """
WITH slots AS (
    UPDATE annotation_slot SET state = 'cancelled'
    WHERE item_id = ANY(%(items)s) AND state IN ('open', 'claimed') RETURNING id
), ended AS (
    UPDATE annotation_assignment a SET state = 'cancelled', ended_at = now()
    FROM slots WHERE a.slot_id = slots.id AND a.state = 'open' RETURNING a.id
)
INSERT INTO annotation_impressionevent (impression_id, kind)
SELECT i.id, 'voided' FROM annotation_impression i JOIN ended e ON i.assignment_id = e.id
ON CONFLICT DO NOTHING
"""


def void_item(*, item_id: int, actor: Person | None, reason: str, now: datetime) -> Item:
    """Take an item that nobody has judged out of the campaign. Raises ForbiddenTransition for one that is frozen."""
    with transaction.atomic():
        lock_assignments([item_id])
        item = Item.objects.select_for_update(of=["self"]).get(pk=item_id)
        check(ITEM, item.state, ItemState.VOID)
        before, item.state = item.state, ItemState.VOID
        item.save(update_fields=["state"])
        cancel_slots([item_id])
        record_event(subject=item, verb="voided", actor=actor, from_state=before, to_state=item.state, reason=reason)
    return item


def lock_assignments(item_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK_ASSIGNMENTS, {"items": item_ids})


def cancel_slots(item_ids: list[int]) -> None:
    """Nobody is asked about these items any more; what was said stays. In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(CANCEL_SLOTS, {"items": item_ids})
