from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import RespondentState
from annotation.models import Respondent
from annotation.use_cases.block_respondent import unblock_respondent
from arena.enums import AppealState
from arena.models import BlockAppeal
from arena.queries.appeals import last_block
from arena.use_cases.settle_block_appeal import settle_block_appeal


def release_visitor(*, respondent_id: int, reason: str, actor: Person | None, now: datetime) -> None:
    """Have a blocked visitor's votes count again, by an admin's own second thought. An appeal that waits is granted
    with it, in the same words: nobody would decide it any more. Raises ForbiddenTransition where no block stands.
    """
    with transaction.atomic():
        # As an appeal does: either it is there, or it finds no block.
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        waiting = BlockAppeal.objects.filter(block=last_block(respondent), state=AppealState.OPEN).first()
        if waiting is None or respondent.state != RespondentState.BLOCKED:
            unblock_respondent(respondent_id=respondent_id, reason=reason, actor=actor, now=now)
        else:
            settle_block_appeal(appeal_id=waiting.pk, granted=True, answer=reason, actor=actor, now=now)
