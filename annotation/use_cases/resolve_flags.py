from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.models import Flag, Item
from annotation.use_cases.record_event import record_event


def resolve_flags(*, item_id: int, words: str, actor: Person, now: datetime) -> int:
    """Say what became of the open flags of an item; how many there were. The words stay with the item, as an event."""
    with transaction.atomic():
        open_flags = Flag.objects.select_for_update(of=["self"]).filter(item=item_id, resolved_at__isnull=True)
        found = list(open_flags.order_by("pk"))
        Flag.objects.filter(pk__in=[flag.pk for flag in found]).update(resolved_at=now)
        if found:
            data = {"flags": [flag.pk for flag in found]}
            item = Item.objects.get(pk=item_id)
            record_event(subject=item, verb="flags_resolved", actor=actor, reason=words, data=data)
    return len(found)
