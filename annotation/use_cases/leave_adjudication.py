from datetime import datetime
from uuid import UUID

from django.db import transaction

from annotation.enums import AssignmentState, ImpressionEnd, SlotState
from annotation.models import Assignment, ImpressionEvent, Respondent
from annotation.transitions import ASSIGNMENT
from annotation.use_cases.record_event import record_event
from annotation.use_cases.submit_judgment import LeaseExpired, NotYourAssignment
from foundation.transitions import check


def leave_adjudication(*, assignment_id: int, lease_token: UUID, respondent: Respondent, now: datetime) -> Assignment:
    """Give an item back that an expert began to settle; they and others may begin it again.

    Raises NotYourAssignment, and LeaseExpired for one that was answered, given back or begun anew.
    """
    with transaction.atomic():
        held = Assignment.objects.select_for_update(of=["self"]).select_related("slot", "item")
        # Its slot is nobody else's, and stays closed.
        mine = held.filter(pk=assignment_id, respondent=respondent, slot__state=SlotState.CANCELLED)
        assignment = mine.first()
        if assignment is None:
            raise NotYourAssignment("no such adjudication of this respondent")
        if assignment.state != AssignmentState.OPEN or assignment.lease_token != lease_token:
            raise LeaseExpired(f"the assignment is {assignment.state} or was begun anew")
        check(ASSIGNMENT, assignment.state, AssignmentState.EXPIRED)
        assignment.state, assignment.ended_at = AssignmentState.EXPIRED, now
        assignment.save(update_fields=["state", "ended_at"])
        shown = assignment.impressions.order_by("-id").first()
        if shown is not None:
            ImpressionEvent.objects.create(impression=shown, kind=ImpressionEnd.SKIPPED)
        data = {"assignment": assignment.pk}
        record_event(subject=assignment.item, verb="adjudication_left", actor=respondent.person, data=data)
    return assignment
