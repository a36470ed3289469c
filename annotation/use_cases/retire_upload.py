from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import ItemState
from annotation.errors import AnnotationError
from annotation.models import Item, ItemUpload
from annotation.transitions import ITEM
from annotation.use_cases.retire_source import retire_source
from annotation.use_cases.void_item import cancel_slots, lock_assignments
from foundation.transitions import check

BATCH = 5_000


class NothingImported(AnnotationError):
    """The upload has no items that could be retired."""


def retire_upload(*, upload_id: int, actor: Person | None, reason: str, now: datetime) -> ItemUpload:
    """Take the items of a file out: nobody is asked about them any more, and no view counts what was said of them.

    Nothing is deleted. Raises NothingImported, and ForbiddenTransition where it is retired already.
    """
    upload = ItemUpload.objects.select_related("source").get(pk=upload_id)
    if upload.source is None:
        raise NothingImported(f"{upload.name} is {upload.state}")
    with transaction.atomic():
        retire_source(source_id=upload.source.pk, actor=actor, reason=reason, now=now)
        last = 0
        while ids := _next_items(upload.source.pk, last):
            last = ids[-1]
            lock_assignments(ids)
            cancel_slots(ids)
            check(ITEM, ItemState.OPEN, ItemState.VOID)
            Item.objects.filter(pk__in=ids, state=ItemState.OPEN).update(state=ItemState.VOID)
    upload.refresh_from_db()
    return upload


def _next_items(source_id: int, after: int) -> list[int]:
    """In pieces, so that no statement runs into its time limit."""
    items = Item.objects.filter(source=source_id, pk__gt=after).order_by("pk")
    return list(items.values_list("pk", flat=True)[:BATCH])
