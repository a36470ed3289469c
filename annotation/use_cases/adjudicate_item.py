from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Person
from annotation.models import Adjudication, Respondent
from annotation.queries.reviews import saw_others
from annotation.use_cases.record_event import record_event
from annotation.use_cases.submit_judgment import NO_PROCESS, Process, submit_in_transaction


def adjudicate_item(
    *,
    assignment_id: int,
    lease_token: UUID,
    key: str,
    respondent: Respondent,
    actor: Person,
    answers: Mapping[str, Any],
    now: datetime,
    process: Process = NO_PROCESS,
) -> Adjudication:
    """An expert's answers, which settle an item. They are a judgment like others, under the same constraints, and the
    row beside it says whether the expert had seen what others said. Refuses as `submit_judgment` does.
    """
    with transaction.atomic():
        judgment = submit_in_transaction(
            assignment_id=assignment_id,
            lease_token=lease_token,
            key=key,
            respondent=respondent,
            answers=answers,
            now=now,
            process=process,
        )
        seen = saw_others(judgment.item_id, actor)
        adjudication, is_new = Adjudication.objects.get_or_create(
            judgment=judgment, defaults={"item_id": judgment.item_id, "saw_others": seen}
        )
        if is_new:
            data = {"judgment": judgment.pk, "saw_others": seen}
            record_event(subject=judgment.item, verb="adjudicated", actor=actor, data=data)
    return adjudication
