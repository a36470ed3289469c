from datetime import datetime

from django.db import transaction

from annotation.enums import ItemState
from annotation.models import Item
from annotation.use_cases.copy_items import copy_item

MEETABLE = (ItemState.OPEN, ItemState.FROZEN)


def repeat_item(*, item_id: int, now: datetime) -> Item | None:
    """The item that shows `item_id` once more; made on its first use, the same one for everybody. None where either
    was taken out. The original stays locked, so that it is taken out before or with what is claimed of its repeat.
    """
    with transaction.atomic():
        original = Item.objects.select_for_update(of=["self"]).get(pk=item_id)
        if original.state not in MEETABLE:
            return None
        found = Item.objects.filter(repeat_of=original).first()
        if found is not None:
            return found if found.state in MEETABLE else None
        return copy_item(original, campaign_id=original.campaign_id, source_id=original.source_id, repeat_of=original)
