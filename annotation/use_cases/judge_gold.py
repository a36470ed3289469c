from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import ItemState
from annotation.models import Item
from annotation.transitions import ITEM
from annotation.use_cases.record_event import record_event
from foundation.transitions import check


def judge_gold(
    *, campaign_id: int, item_ids: Sequence[int], accept: bool, actor: Person | None, now: datetime
) -> list[Item]:
    """Take proposed gold items into the campaign, or out of it for good. Those somebody else has judged meanwhile stay
    as they are; returns the others. Nobody is measured by an item before this."""
    after = ItemState.OPEN if accept else ItemState.VOID
    with transaction.atomic():
        items = list(
            Item.objects.select_for_update(of=["self"], no_key=True)
            .filter(campaign=campaign_id, pk__in=item_ids, state=ItemState.PROPOSED)
            .order_by("pk")
        )
        for item in items:
            check(ITEM, item.state, after)
            before, item.state = item.state, after
            item.save(update_fields=["state"])
            record_event(
                subject=item,
                verb="gold_accepted" if accept else "gold_discarded",
                actor=actor,
                from_state=before,
                to_state=after,
            )
    return items
