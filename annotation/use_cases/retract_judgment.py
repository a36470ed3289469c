from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import Person
from annotation.enums import JudgmentKind
from annotation.errors import AnnotationError
from annotation.models import Judgment
from annotation.use_cases.record_event import record_event


class AlreadySuperseded(AnnotationError):
    """A newer row stands in this judgment's place; correct or retract that one."""


def retract_judgment(*, judgment_id: int, actor: Person | None, reason: str, now: datetime) -> Judgment:
    """Write the row that takes a judgment out of every view. The judgment itself stays in the log."""
    with transaction.atomic():
        judgment = Judgment.objects.get(pk=judgment_id)
        try:
            retraction = supersede(judgment, kind=JudgmentKind.RETRACTION, submitted_at=now)
        except IntegrityError as error:
            raise AlreadySuperseded(f"judgment {judgment_id} was superseded") from error
        record_event(subject=retraction, verb="retracted", actor=actor, reason=reason)
    return retraction


def supersede(judgment: Judgment, **changes: object) -> Judgment:
    """Insert the row that stands in `judgment`'s place: the same person, item and showing, with these changes."""
    carried = {
        name: getattr(judgment, name)
        for name in (
            "campaign_id",
            "item_id",
            "respondent_id",
            "source_id",
            "impression_id",
            "assignment_id",
            "instrument_id",
            "guidelines_id",
            "order",
            "contestants",
        )
    }
    return Judgment.objects.create(**{**carried, "supersedes": judgment, **changes})
