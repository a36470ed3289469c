from datetime import datetime

from django.db import transaction

from annotation.models import Item
from annotation.use_cases.copy_items import copy_item


def repeat_item(*, item_id: int, now: datetime) -> Item:
    """The item that shows `item_id` once more; made on its first use, the same one for everybody."""
    with transaction.atomic():
        original = Item.objects.select_for_update().get(pk=item_id)
        found = Item.objects.filter(repeat_of=original).first()
        if found is not None:
            return found
        return copy_item(original, campaign_id=original.campaign_id, source_id=original.source_id, repeat_of=original)
