from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import RespondentState
from annotation.models import Respondent
from annotation.queries.people import unaccepted
from annotation.transitions import RESPONDENT
from annotation.use_cases.record_event import record_event
from annotation.use_cases.take_back_assignments import take_back_assignments
from annotation.use_cases.take_out_judgment import take_out
from foundation.transitions import check


def block_respondent(*, respondent_id: int, reason: str, actor: Person | None, now: datetime) -> int:
    """Stop a person's work and take what nobody approved of theirs out of every view; others are asked for as many.

    All of it or nothing. The judgments stay in the log under a retraction each. Returns how many were taken out.
    """
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        check(RESPONDENT, respondent.state, RespondentState.BLOCKED)
        before, respondent.state = respondent.state, RespondentState.BLOCKED
        respondent.save(update_fields=["state"])
        take_back_assignments(respondent, now)
        standing = unaccepted(respondent).select_related("item")
        # Items in one order, so that two people who are blocked at once wait for each other and do not lock up.
        taken = [take_out(judgment, now) for judgment in standing.order_by("item_id")]
        record_event(
            subject=respondent,
            verb="blocked",
            actor=actor,
            from_state=before,
            to_state=RespondentState.BLOCKED,
            reason=reason,
            data={"judgments": len(taken)},
        )
    return len(taken)


def unblock_respondent(*, respondent_id: int, reason: str, actor: Person | None, now: datetime) -> Respondent:
    """Let somebody work again. What was taken out stays out: others were asked in its place."""
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        check(RESPONDENT, respondent.state, RespondentState.ACTIVE)
        before, respondent.state = respondent.state, RespondentState.ACTIVE
        respondent.save(update_fields=["state"])
        record_event(
            subject=respondent,
            verb="unblocked",
            actor=actor,
            from_state=before,
            to_state=RespondentState.ACTIVE,
            reason=reason,
        )
    return respondent
