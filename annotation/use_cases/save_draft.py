import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from accounts.models import Person
from accounts.texts import seal_for
from annotation.enums import AssignmentState
from annotation.errors import AnnotationError
from annotation.models import Assignment, Draft, Respondent
from annotation.queries.tasks import typed_in
from annotation.use_cases.submit_judgment import LeaseExpired, NotYourAssignment

# One statement keeps a draft, under the fence and against the version that its tab knows; no row means a refusal.
KEEP = """
INSERT INTO annotation_draft (assignment_id, version, sealed, saved_at)
SELECT a.id, 1, %(sealed)s, %(now)s FROM annotation_assignment a
WHERE a.id = %(assignment)s AND a.respondent_id = %(respondent)s AND a.state = 'open' AND a.lease_token = %(token)s
ON CONFLICT (assignment_id) DO UPDATE SET version = annotation_draft.version + 1, sealed = excluded.sealed,
    saved_at = excluded.saved_at WHERE annotation_draft.version = %(version)s
RETURNING version
"""
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
    given: dict[str, int | UUID | bytes | datetime] = {
        "assignment": assignment_id,
        "respondent": respondent.pk,
        "token": lease_token,
        "version": version,
        "sealed": seal_for(respondent.person, text),
        "now": now,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(KEEP, given)
        row = cursor.fetchone()
        if row is None:
            _refuse(assignment_id, lease_token, respondent, respondent.person)
    return int(row[0])


def _refuse(assignment_id: int, lease_token: UUID, respondent: Respondent, person: Person) -> NoReturn:
    """Why nothing was kept."""
    assignment = Assignment.objects.select_related("draft").filter(pk=assignment_id, respondent=respondent).first()
    if assignment is None:
        raise NotYourAssignment("no such assignment of this respondent")
    if assignment.state != AssignmentState.OPEN or assignment.lease_token != lease_token:
        raise LeaseExpired(f"the assignment is {assignment.state} or was claimed anew")
    raise StaleDraft(assignment.draft.version, typed_in(assignment.draft.sealed, person))


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
