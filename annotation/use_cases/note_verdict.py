from datetime import datetime
from decimal import Decimal

from annotation.enums import Design, ImpressionEnd, ItemState, VerdictState
from annotation.models import Impression, ImpressionEvent, Judging, Judgment, Respondent, Response, Verdict
from annotation.policies.judging import Unreadable, read_verdict
from annotation.queries.judges import asked_of_models, situation_of
from annotation.questions import Asked, Reading
from annotation.transitions import VERDICT
from foundation.transitions import check
from inference_workers.enums import CompletionState

# What could not be read is asked once more.
MOST_TRIES = 2


def note_verdict(*, judging: Judging, verdict: Verdict, now: datetime) -> str | None:
    """Take what a judge answered into the log, under the lock of its judging. Of an answer that cannot be read, or did
    not come: why it is to be asked once more, or None where the verdict has failed for good.
    """
    job = verdict.completion
    assert job is not None
    if job.cost is not None:
        verdict.paid = (verdict.paid or Decimal()) + job.cost
    order = order_of(verdict)
    asked = asked_of_models(judging.campaign, judging.instrument_id, len(order))
    if verdict.item.state == ItemState.VOID:
        return _failed(verdict, "the item is void", again=False)
    if job.state != CompletionState.SUCCEEDED:
        return _failed(verdict, job.error_code or job.state, again=verdict.tries < MOST_TRIES)
    try:
        reading = read_verdict(job.text or "", asked, situation_of(judging.campaign, len(order)))
    except Unreadable as why:
        return _failed(verdict, str(why), again=verdict.tries < MOST_TRIES)
    check(VERDICT, verdict.state, VerdictState.JUDGED)
    verdict.judgment = _written(judging, verdict, order, asked, reading, now)
    verdict.state, verdict.problem = VerdictState.JUDGED, ""
    verdict.save(update_fields=["judgment", "state", "problem", "paid"])
    return None


def order_of(verdict: Verdict) -> list[int]:
    """Positions as the judge reads them: the item's own order, or its opposite."""
    positions = list(
        Response.objects.filter(item=verdict.item_id).order_by("position").values_list("position", flat=True)
    )
    return positions[::-1] if verdict.swapped else positions


def _failed(verdict: Verdict, problem: str, *, again: bool) -> str | None:
    if again:
        return problem
    check(VERDICT, verdict.state, VerdictState.FAILED)
    verdict.state, verdict.problem = VerdictState.FAILED, problem[:300]
    verdict.save(update_fields=["state", "problem", "paid"])
    return None


def _written(
    judging: Judging, verdict: Verdict, order: list[int], asked: list[Asked], reading: Reading, now: datetime
) -> Judgment:
    respondents = Respondent.objects.filter(source=judging.source_id).order_by("pk")
    respondent = respondents[1 if verdict.swapped else 0]
    contestants = dict(Response.objects.filter(item=verdict.item_id).values_list("position", "contestant"))
    impression = Impression.objects.create(
        campaign=judging.campaign,
        item_id=verdict.item_id,
        respondent=respondent,
        instrument_id=judging.instrument_id,
        guidelines_id=judging.campaign.guidelines_id,
        order=order,
        questions_asked=[question.name for question in asked],
        parameters={"judging": judging.pk, "template_version": judging.template_version},
        pair_design=Design.ASSIGNED,
        side_design=Design.ASSIGNED,
        prompt_design=Design.ASSIGNED,
        questions_design=Design.ASSIGNED,
    )
    ImpressionEvent.objects.create(impression=impression, kind=ImpressionEnd.ANSWERED)
    return Judgment.objects.create(
        campaign=judging.campaign,
        item_id=verdict.item_id,
        respondent=respondent,
        source_id=judging.source_id,
        impression=impression,
        instrument_id=judging.instrument_id,
        guidelines_id=judging.campaign.guidelines_id,
        order=order,
        contestants=[contestants[position] for position in order],
        answers=reading.answers,
        submitted_at=now,
        **reading.columns,
    )
