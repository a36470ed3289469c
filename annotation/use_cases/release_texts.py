from datetime import datetime

from django.db import transaction

from annotation.models import Respondent
from annotation.use_cases.record_event import record_event


def release_texts(*, respondent_id: int, released: bool, now: datetime) -> Respondent:
    """Whether datasets made from now on may hold what this person wrote in their own words."""
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        if respondent.releases_texts != released:
            respondent.releases_texts = released
            respondent.save(update_fields=["releases_texts"])
            record_event(
                subject=respondent, verb="texts_released", actor=respondent.person, data={"released": released}
            )
    return respondent
