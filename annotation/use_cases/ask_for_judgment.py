from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import ItemPurpose, ItemState
from annotation.errors import AnnotationError
from annotation.models import Item, Slot
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_out_judgment import add_slot


class NobodyIsAsked(AnnotationError):
    """Checks, repeats and items that are out have no slots for others to fill."""


def ask_for_judgment(*, item_id: int, reason: str, actor: Person, now: datetime) -> Slot:
    """One more judgment of an item, by somebody who has not met it. Raises NobodyIsAsked."""
    with transaction.atomic():
        item = Item.objects.get(pk=item_id)
        if (
            item.purpose != ItemPurpose.WORK
            or item.repeat_of_id
            or item.state not in (ItemState.OPEN, ItemState.FROZEN)
        ):
            raise NobodyIsAsked(f"item {item_id} is {item.purpose}, {item.state}")
        slot = add_slot(item)
        record_event(subject=item, verb="slot_added", actor=actor, reason=reason, data={"slot": slot.number})
    return slot
