from datetime import datetime
from uuid import UUID

from django.db import transaction

from annotation.enums import AssignmentState, ImpressionEnd, ItemPurpose, SlotState
from annotation.models import Assignment, ImpressionEvent, Respondent
from annotation.transitions import ASSIGNMENT, SLOT
from annotation.use_cases.record_event import record_event
from annotation.use_cases.submit_judgment import LeaseExpired, NotYourAssignment
from foundation.transitions import check


def skip_assignment(
    *, assignment_id: int, lease_token: UUID, respondent: Respondent, reason: str, now: datetime, for_good: bool = False
) -> Assignment:
    """Give an item back without judging it; somebody else may take the slot. The reason is kept.

    An item of the qualification test is only put off, and comes back after the others, unless it goes `for_good`.
    """
    with transaction.atomic():
        assignment = (
            Assignment.objects.select_for_update(of=["self"])
            .select_related("slot", "item")
            .filter(pk=assignment_id, respondent=respondent)
            .first()
        )
        if assignment is None:
            raise NotYourAssignment("no such assignment of this respondent")
        if assignment.state != AssignmentState.OPEN or assignment.lease_token != lease_token:
            raise LeaseExpired(f"the assignment is {assignment.state} or was claimed anew")
        if assignment.slot.state == SlotState.CANCELLED:
            raise LeaseExpired("an adjudication is nobody else's to take over")
        put_off = assignment.item.purpose == ItemPurpose.QUALIFICATION and not for_good
        ends = AssignmentState.EXPIRED if put_off else AssignmentState.SKIPPED
        check(ASSIGNMENT, assignment.state, ends)
        check(SLOT, assignment.slot.state, SlotState.OPEN)
        assignment.state, assignment.ended_at = ends, now
        assignment.save(update_fields=["state", "ended_at"])
        assignment.slot.state = SlotState.OPEN
        assignment.slot.save(update_fields=["state"])
        shown = assignment.impressions.order_by("-id").first()
        if shown is not None:
            ImpressionEvent.objects.create(impression=shown, kind=ImpressionEnd.SKIPPED)
        record_event(
            subject=assignment,
            verb="skipped",
            actor=respondent.person,
            from_state=AssignmentState.OPEN,
            to_state=ends,
            reason=reason,
        )
    return assignment
