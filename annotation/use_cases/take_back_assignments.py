from datetime import datetime

from annotation.enums import AssignmentState, ImpressionEnd, SlotState
from annotation.models import Assignment, ImpressionEvent, Respondent
from annotation.transitions import ASSIGNMENT, SLOT
from foundation.transitions import check


def take_back_assignments(respondent: Respondent, now: datetime) -> None:
    """Give what somebody holds to others, in the transaction that holds their row: they work no more."""
    held = Assignment.objects.select_for_update(of=["self"]).select_related("slot__campaign")
    for assignment in held.filter(respondent=respondent, state=AssignmentState.OPEN):
        check(ASSIGNMENT, assignment.state, AssignmentState.CANCELLED)
        assignment.state, assignment.ended_at = AssignmentState.CANCELLED, now
        assignment.save(update_fields=["state", "ended_at"])
        # The slot of an adjudication is nobody else's.
        if assignment.slot.state != SlotState.CANCELLED:
            # Nor is that of a battle.
            freed = SlotState.CANCELLED if assignment.slot.campaign.is_arena else SlotState.OPEN
            check(SLOT, assignment.slot.state, freed)
            assignment.slot.state = freed
            assignment.slot.save(update_fields=["state"])
        shown = assignment.impressions.order_by("-id").first()
        if shown is not None:
            ImpressionEvent.objects.create(impression=shown, kind=ImpressionEnd.VOIDED)
