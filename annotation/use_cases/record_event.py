from typing import Any

from django.db.models import Model

from accounts.models import Person
from annotation.models import Event


def record_event(
    *,
    subject: Model,
    verb: str,
    actor: Person | None,
    from_state: str = "",
    to_state: str = "",
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """Write who did what to which row; called in the transaction of the change. `reason` is cut at 300 characters."""
    return Event.objects.create(
        subject=subject._meta.label_lower,
        subject_id=str(subject.pk),
        verb=verb,
        from_state=from_state,
        to_state=to_state,
        reason=reason[:300],
        data=data or {},
        actor=actor,
    )
