from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from annotation.enums import JudgmentKind, Preference
from annotation.models import Judgment, Respondent
from annotation.policies.breaks import EARLIER, RECENT, Answer, Drift, drift_of, may_offer
from annotation.use_cases.record_event import record_event

LEFT = {Preference.A: True, Preference.B: False}


def offer_break(*, respondent_id: int, now: datetime) -> Drift | None:
    """What of this person's pace or side has drifted, where they are offered a break for it now; else None.

    An offer is kept as an event and not made again within half an hour. Pay and figures know nothing of it.
    """
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).get(pk=respondent_id)
        if not may_offer(respondent.break_offered_at, now):
            return None
        drift = drift_of(_newest_answers(respondent))
        if drift is None:
            return None
        respondent.break_offered_at = now
        respondent.save(update_fields=["break_offered_at"])
        record_event(subject=respondent, verb="break_offered", actor=None, data=asdict(drift))
    return drift


def take_break(*, respondent_id: int, now: datetime) -> Respondent:
    """Note that the person takes a break. What they hold stays theirs for as long as its lease says."""
    with transaction.atomic():
        respondent = Respondent.objects.select_for_update(of=["self"]).select_related("person").get(pk=respondent_id)
        record_event(subject=respondent, verb="break_taken", actor=respondent.person)
    return respondent


def _newest_answers(respondent: Respondent) -> list[Answer]:
    """First answers; a correction has a pace of its own."""
    answers = Judgment.objects.filter(respondent=respondent, kind=JudgmentKind.ANSWER, supersedes__isnull=True)
    newest = answers.order_by("-submitted_at", "-pk").values_list("active_ms", "preference")[: RECENT + EARLIER]
    return [Answer(active_ms, LEFT.get(Preference(said)) if said else None) for active_ms, said in newest]
