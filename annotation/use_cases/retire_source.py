from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import STANDS_APART, SourceState
from annotation.models import Source
from annotation.transitions import SOURCE
from annotation.use_cases.record_event import record_event
from foundation.transitions import check


def retire_source(*, source_id: int, actor: Person | None, reason: str, now: datetime) -> Source:
    """Leave a source out of every view from now on. Its judgments stay in the log."""
    return _move(source_id=source_id, to=SourceState.RETIRED, verb="retired", actor=actor, reason=reason)


def restore_source(*, source_id: int, actor: Person | None, reason: str, now: datetime) -> Source:
    """Take a retired source into the views again."""
    is_apart = Source.objects.filter(pk=source_id, kind__in=STANDS_APART).exists()
    to = SourceState.APART if is_apart else SourceState.ACTIVE
    return _move(source_id=source_id, to=to, verb="restored", actor=actor, reason=reason)


def _move(*, source_id: int, to: SourceState, verb: str, actor: Person | None, reason: str) -> Source:
    with transaction.atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        check(SOURCE, source.state, to)
        before, source.state = source.state, to
        source.save(update_fields=["state"])
        record_event(subject=source, verb=verb, actor=actor, from_state=before, to_state=to, reason=reason)
    return source
