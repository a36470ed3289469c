from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from annotation.models import Assignment, Respondent
from annotation.use_cases.flag_item import flag_item
from annotation.use_cases.skip_assignment import skip_assignment
from foundation.idempotency import body_hash, once


def give_back_once(
    *,
    assignment_id: int,
    lease_token: UUID,
    key: str,
    respondent: Respondent,
    reason: str,
    now: datetime,
    words: str | None = None,
) -> Assignment:
    """A skip, or with `words` a flag, that may be sent again because nobody knows whether it arrived: once.

    `key` was minted when the form was rendered. Refuses as `skip_assignment` and `flag_item` do, and as `once`.
    """
    kind = "skip" if words is None else "flag"
    body = body_hash({"assignment": assignment_id, "token": str(lease_token), "reason": reason, "words": words})
    give = skip_assignment if words is None else partial(flag_item, words=words)
    with transaction.atomic(), once(key=key, scope=f"{kind}:{respondent.pk}", body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Assignment.objects.get(pk=attempt.response["assignment"])
        assignment = give(
            assignment_id=assignment_id, lease_token=lease_token, respondent=respondent, reason=reason, now=now
        )
        attempt.response = {"assignment": assignment.pk}
    return assignment
