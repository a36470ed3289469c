from datetime import datetime
from typing import Any

from accounts.models import Person
from annotation.models import Event, Item
from annotation.queries.reviews import LOOKED
from annotation.use_cases.record_event import record_event


def note_look(*, item: Item, actor: Person, now: datetime, judgment_id: int | None = None) -> Event | None:
    """Keep that somebody was shown one judgment of an item, or all where none is named; None where that is known.

    What a reviewer had seen when they decided is a fact about the decision.
    """
    data: dict[str, Any] = {"others": True} if judgment_id is None else {"judgment": judgment_id}
    known = Event.objects.filter(
        subject=Item._meta.label_lower, subject_id=str(item.pk), verb=LOOKED, actor=actor, data=data
    )
    return None if known.exists() else record_event(subject=item, verb=LOOKED, actor=actor, data=data)
