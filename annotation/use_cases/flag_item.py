from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.texts import write_personal_text
from annotation.enums import FlagReason, ItemPurpose
from annotation.models import Assignment, Flag, Respondent
from annotation.use_cases.record_event import record_event
from annotation.use_cases.skip_assignment import skip_assignment
from annotation.use_cases.submit_work import settle_test


def flag_item(
    *, assignment_id: int, lease_token: UUID, respondent: Respondent, reason: str, words: str, now: datetime
) -> Assignment:
    """Say what is wrong with an item, and give it back unjudged. The words are sealed under their author's key.

    Raises NotYourAssignment and LeaseExpired as `skip_assignment` does, and ValueError for no reason there is.
    """
    why = FlagReason(reason)
    with transaction.atomic():
        # Before the assignment, as whoever submits does.
        locked = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent.pk)
        assignment = skip_assignment(
            assignment_id=assignment_id,
            lease_token=lease_token,
            respondent=respondent,
            reason=why.value,
            now=now,
            for_good=True,
        )
        sealed = None
        if words.strip() and respondent.person is not None:
            sealed = write_personal_text(person=respondent.person, text=words.strip())
        flag, made = Flag.objects.get_or_create(
            item_id=assignment.item_id,
            respondent=respondent,
            defaults={"reason": why.value, "personal_text": sealed},
        )
        if made:
            record_event(subject=flag, verb="raised", actor=respondent.person, reason=why.value)
        if assignment.item.purpose == ItemPurpose.QUALIFICATION:
            settle_test(assignment.item.campaign, locked)
    return assignment
