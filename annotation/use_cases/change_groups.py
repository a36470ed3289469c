from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.models import Respondent
from annotation.policies.groups import group_names
from annotation.use_cases.record_event import record_event


def change_groups(*, respondent_id: int, groups: Sequence[str], actor: Person | None, now: datetime) -> Respondent:
    """Put somebody into these groups and no others. What they judged so far counts for their groups of now.

    Saying the same again changes nothing and leaves no event. Raises BadGroups.
    """
    wanted = group_names(groups)
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        before = respondent.groups
        if before != wanted:
            respondent.groups = wanted
            respondent.save(update_fields=["groups"])
            data = {"before": before, "after": wanted}
            record_event(subject=respondent, verb="groups_changed", actor=actor, data=data)
    return respondent
