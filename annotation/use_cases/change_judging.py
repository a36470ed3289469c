from datetime import datetime

from django.db import transaction

from accounts.models import Person
from annotation.enums import GenerationState, VerdictState
from annotation.models import Judging
from annotation.transitions import JUDGING
from annotation.use_cases.advance_judging import hint_judging
from annotation.use_cases.record_event import record_event
from foundation.transitions import check
from inference_workers.dispatch import cancel_completion

VERBS = {
    GenerationState.PAUSED: "paused",
    GenerationState.RUNNING: "resumed",
    GenerationState.CANCELLED: "cancelled",
}


def change_judging(*, judging_id: int, to: str, actor: Person | None, now: datetime) -> Judging:
    """Pause, resume or cancel a judging. What was asked before a pause is taken note of when it goes on; what it said
    so far stays in the log, apart. Raises ForbiddenTransition.
    """
    with transaction.atomic():
        judging = Judging.objects.select_for_update(of=["self"]).get(pk=judging_id)
        check(JUDGING, judging.state, to)
        before, judging.state = judging.state, GenerationState(to)
        if to == GenerationState.CANCELLED:
            judging.finished_at = now
            _cancel_verdicts(judging)
        judging.save(update_fields=["state", "finished_at"])
        record_event(subject=judging, verb=VERBS[judging.state], actor=actor, from_state=before, to_state=to)
        if to == GenerationState.RUNNING:
            transaction.on_commit(lambda: hint_judging(judging.pk), robust=True)
    return judging


def _cancel_verdicts(judging: Judging) -> None:
    open_ones = judging.verdicts.filter(state__in=[VerdictState.WAITING, VerdictState.ASKED])
    jobs = list(open_ones.filter(completion__isnull=False).values_list("completion", flat=True))
    open_ones.update(state=VerdictState.CANCELLED)
    for job in jobs:
        cancel_completion(job)
