from datetime import datetime

from django.db import connection, transaction

from accounts.models import Person
from annotation.enums import ItemState, JudgmentKind
from annotation.models import Item, Judgment, Respondent
from annotation.transitions import ITEM
from annotation.use_cases.record_event import record_event
from annotation.use_cases.supersede_judgment import supersede
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
    """Take an item out of the campaign with what repeats it, and what was said of them out of every view; fees stay
    owed. Nobody is asked in its place. Raises ForbiddenTransition for one that is out.
    """
    with transaction.atomic():
        _lock_authors(item_id)
        repeats = Item.objects.filter(repeat_of=item_id).exclude(state=ItemState.VOID)
        lock_assignments([item_id, *repeats.values_list("pk", flat=True)])
        item = _take_out(item_id, actor, reason, now)
        # Whoever makes a repeat holds the item meanwhile.
        for repeat in list(repeats.all()):
            _take_out(repeat.pk, actor, reason, now)
    return item


def _take_out(item_id: int, actor: Person | None, reason: str, now: datetime) -> Item:
    item = Item.objects.select_for_update(of=["self"]).get(pk=item_id)
    check(ITEM, item.state, ItemState.VOID)
    before, item.state = item.state, ItemState.VOID
    item.save(update_fields=["state"])
    cancel_slots([item_id])
    standing = Judgment.objects.filter(item=item, kind=JudgmentKind.ANSWER, superseded_by__isnull=True)
    taken = [supersede(each, kind=JudgmentKind.RETRACTION, submitted_at=now) for each in standing.order_by("pk")]
    data = {"judgments": len(taken)}
    record_event(
        subject=item, verb="voided", actor=actor, from_state=before, to_state=item.state, reason=reason, data=data
    )
    return item


def _lock_authors(item_id: int) -> None:
    """First of all, as whoever corrects, blocks or decides does. Who answered a repeat answered its item before."""
    authors = Judgment.objects.filter(item=item_id).values("respondent")
    list(Respondent.objects.select_for_update(of=["self"], no_key=True).filter(pk__in=authors).order_by("pk"))


def lock_assignments(item_ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK_ASSIGNMENTS, {"items": item_ids})


def cancel_slots(item_ids: list[int]) -> None:
    """Nobody is asked about these items any more; what was said stays. In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(CANCEL_SLOTS, {"items": item_ids})
