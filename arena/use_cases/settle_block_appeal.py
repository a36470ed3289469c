from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import RespondentState
from annotation.models import Respondent
from annotation.use_cases.block_respondent import unblock_respondent
from annotation.use_cases.record_event import record_event
from arena.enums import AppealState
from arena.models import BlockAppeal
from arena.transitions import APPEAL
from foundation.transitions import check


def settle_block_appeal(
    *, appeal_id: int, granted: bool, answer: str, actor: Person | None, now: datetime
) -> BlockAppeal:
    """Decide about a visitor's appeal, in words that they read. What is granted lifts the block by the use case that
    lifts every block: the votes count again by new rows. Raises ForbiddenTransition where it was decided before.
    """
    with transaction.atomic():
        found = BlockAppeal.objects.get(pk=appeal_id)
        # People before what is about them, as wherever both are locked.
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=found.respondent_id)
        appeal = BlockAppeal.objects.select_for_update(of=["self"]).get(pk=appeal_id)
        to = AppealState.GRANTED if granted else AppealState.REFUSED
        check(APPEAL, appeal.state, to)
        before, appeal.state, appeal.answer, appeal.decided_at = appeal.state, to, answer, now
        appeal.save(update_fields=["state", "answer", "decided_at"])
        record_event(
            subject=respondent,
            verb="block_appeal_settled",
            actor=actor,
            from_state=before,
            to_state=to,
            reason=answer,
            data={"appeal": appeal.pk},
        )
        if granted and respondent.state == RespondentState.BLOCKED:
            unblock_respondent(respondent_id=respondent.pk, reason=answer, actor=actor, now=now)
    return appeal
