import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts.texts import seal_for
from annotation.enums import AssignmentState
from annotation.errors import AnnotationError
from annotation.models import Assignment, Draft, Respondent
from annotation.queries.tasks import typed_in
from annotation.use_cases.submit_judgment import LeaseExpired, NotYourAssignment

# Of all typed values together.
MOST_CHARACTERS = 200_000


@dataclass
class StaleDraft(AnnotationError):
    """Another tab saved meanwhile: nothing was written. `values` and `version` are what is stored."""

    version: int
    values: dict[str, str]


class DraftTooLong(AnnotationError):
    """More than can be kept; a submit would refuse it too."""


def save_draft(
    *,
    assignment_id: int,
    lease_token: UUID,
    respondent: Respondent,
    version: int,
    values: Mapping[str, str],
    now: datetime,
) -> int:
    """Keep what was typed so far, sealed; returns the version to name next time.

    `version` is the one the tab last got, 0 before the first. Raises NotYourAssignment, LeaseExpired, StaleDraft.
    """
    text = json.dumps(dict(values), ensure_ascii=False)
    if len(text) > MOST_CHARACTERS:
        raise DraftTooLong(f"{len(text)} characters, and at most {MOST_CHARACTERS} are kept")
    if respondent.person is None:
        raise NotYourAssignment("only a person has drafts")
    with transaction.atomic():
        assignment = (
            Assignment.objects.select_for_update(of=["self"])
            .select_related("draft")
            .filter(pk=assignment_id, respondent=respondent)
            .first()
        )
        if assignment is None:
            raise NotYourAssignment("no such assignment of this respondent")
        if assignment.state != AssignmentState.OPEN or assignment.lease_token != lease_token:
            raise LeaseExpired(f"the assignment is {assignment.state} or was claimed anew")
        draft = getattr(assignment, "draft", None)
        if draft is None:
            draft = Draft(assignment=assignment, version=0)
        elif draft.version != version:
            raise StaleDraft(draft.version, typed_in(draft.sealed, respondent.person))
        draft.version += 1
        draft.sealed, draft.saved_at = seal_for(respondent.person, text), now
        draft.save()
    return int(draft.version)


def keep_typed(*, assignment_id: int, respondent: Respondent, values: Mapping[str, str], now: datetime) -> None:
    """Keep what an answer was typed as, sealed, so that its author can look at it and correct it."""
    text = json.dumps(dict(values), ensure_ascii=False)
    if respondent.person is None or len(text) > MOST_CHARACTERS:
        return
    sealed = seal_for(respondent.person, text)
    Draft.objects.update_or_create(
        assignment_id=assignment_id,
        defaults={"sealed": sealed, "saved_at": now, "version": F("version") + 1},
        create_defaults={"sealed": sealed, "saved_at": now},
    )
