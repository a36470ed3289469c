from datetime import datetime

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from annotation.enums import GenerationState, VerdictState
from annotation.models import Judging, Verdict
from annotation.policies.judging import answer_schema, judge_messages
from annotation.queries.judges import asked_of_models, judged_text, situation_of
from annotation.selection.draws import new_seed
from annotation.transitions import JUDGING, VERDICT
from annotation.use_cases.note_verdict import note_verdict, order_of
from annotation.use_cases.record_event import record_event
from foundation.transitions import check
from inference_workers.dispatch import request_completion
from inference_workers.enums import CompletionState, Priority

log = structlog.get_logger(__name__)
ADVANCE = "annotation.advance_judging"
# The sweeper hints again as often.
HINT_SECONDS = 10
# Completions of one judging that wait or run at once, so that a pause holds at once.
MOST_OUTSTANDING = 48
ENDED = (CompletionState.SUCCEEDED, CompletionState.FAILED, CompletionState.CANCELLED)


def advance_judging(*, judging_id: int, now: datetime) -> int:
    """Take note of what the judge answered, ask what comes next, and end a judging that has nothing to wait for.

    Returns how many completions were asked for. While somebody else advances it, nothing is done.
    """
    with transaction.atomic():
        judging = (
            Judging.objects.select_for_update(of=["self"], skip_locked=True)
            .select_related("campaign__guidelines", "revision__language_model", "source")
            .filter(pk=judging_id, state=GenerationState.RUNNING)
            .first()
        )
        if judging is None:
            return 0
        asked = 0
        for verdict in _with_item(judging).filter(state=VerdictState.ASKED, completion__state__in=ENDED):
            problem = note_verdict(judging=judging, verdict=verdict, now=now)
            if problem is not None:
                _ask(judging, verdict, problem)
                asked += 1
        room = MOST_OUTSTANDING - judging.verdicts.filter(state=VerdictState.ASKED).count()
        for verdict in _with_item(judging).filter(state=VerdictState.WAITING).order_by("pk")[: max(room, 0)]:
            check(VERDICT, verdict.state, VerdictState.ASKED)
            _ask(judging, verdict, "")
            asked += 1
        if not judging.verdicts.filter(state__in=[VerdictState.WAITING, VerdictState.ASKED]).exists():
            _end(judging, now)
    return asked


def sweep_judgings(*, now: datetime) -> list[int]:
    """Go on with every judging that runs, whatever was lost of what should have told a worker; their ids."""
    running = list(
        Judging.objects.filter(state=GenerationState.RUNNING).order_by("created_at").values_list("pk", flat=True)
    )
    for pk in running:
        advance_judging(judging_id=pk, now=now)
    return running


def hint_judging(judging_id: int) -> None:
    """Tell a worker that there is something to do. Only a hint: the sweeper finds what nobody was told of."""
    try:
        current_app.signature(ADVANCE, args=[judging_id]).apply_async(expires=HINT_SECONDS, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("judging_hint_not_sent", judging=judging_id, reason=str(error))


def _with_item(judging: Judging):  # type: ignore[no-untyped-def]
    return Verdict.objects.filter(judging=judging).select_related("item", "completion")


def _ask(judging: Judging, verdict: Verdict, problem: str) -> None:
    order = order_of(verdict)
    situation = situation_of(judging.campaign, len(order))
    asked = asked_of_models(judging.campaign, judging.instrument_id, len(order))
    text = judged_text(judging.campaign, verdict.item_id, order)
    verdict.completion = request_completion(
        revision=judging.revision,
        messages=judge_messages(text, asked, situation, problem=problem),
        person=None,
        priority=Priority.BATCH,
        seed=new_seed(),
        screened=False,
        schema=answer_schema(asked, situation) if judging.revision.takes_schema else None,
    )
    verdict.state, verdict.tries, verdict.problem = VerdictState.ASKED, verdict.tries + 1, problem
    verdict.save(update_fields=["completion", "state", "tries", "problem", "paid"])


def _end(judging: Judging, now: datetime) -> None:
    check(JUDGING, judging.state, GenerationState.DONE)
    before, judging.state, judging.finished_at = judging.state, GenerationState.DONE, now
    judging.save(update_fields=["state", "finished_at"])
    failed = judging.verdicts.filter(state=VerdictState.FAILED).count()
    data = {"verdicts_without_answer": failed}
    record_event(subject=judging, verb="ended", actor=None, from_state=before, to_state=judging.state, data=data)
