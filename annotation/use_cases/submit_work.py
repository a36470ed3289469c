from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from annotation.enums import (
    AssignmentState,
    ItemPurpose,
    ItemState,
    JudgmentKind,
    RespondentState,
    SlotState,
    SourceState,
)
from annotation.errors import AnnotationError
from annotation.models import Assignment, Campaign, Item, Judgment, Respondent, Slot
from annotation.policies.checks import is_right
from annotation.policies.stages import is_qualified, share_right
from annotation.queries import instrument_questions
from annotation.queries.log import by_whom
from annotation.queries.reviews import settled_items
from annotation.queries.work import newest_set
from annotation.questions import Asked, Given, get_type
from annotation.transitions import RESPONDENT
from annotation.use_cases.lock_session import lock_when_full
from annotation.use_cases.pay_screen_out import pay_screen_out
from annotation.use_cases.record_event import record_event
from annotation.use_cases.save_draft import keep_typed
from annotation.use_cases.submit_judgment import NO_PROCESS, Process, submit_in_transaction
from annotation.use_cases.take_back_assignments import take_back_assignments
from annotation.use_cases.take_out_judgment import add_slot
from foundation.database import database_now
from foundation.transitions import check

# No single check ends somebody's work.
FAILED_ATTENTION_CHECKS = 2
# Why one more slot was opened.
PEOPLE_DISAGREE = "people disagree"
# Of the way from the same answer to the opposite one: more than one step on a scale of five, two of four responses in
# another order than the rest, another side.
DISAGREE = 1 / 3


class NotActive(AnnotationError):
    """The respondent was blocked, screened out or has withdrawn."""


@dataclass(frozen=True)
class Submitted:
    """`right` says whether a training answer was, and `explanation` why; both are empty for everything else."""

    judgment: Judgment
    right: bool | None = None
    explanation: str = ""
    finished: str = ""  # "qualified", "screened_out" or "locked" where this answer decided it


def submit_work(
    *,
    assignment_id: int,
    lease_token: UUID,
    key: str,
    respondent: Respondent,
    answers: Mapping[str, Any],
    now: datetime,
    process: Process = NO_PROCESS,
    typed: Mapping[str, str] | None = None,
) -> Submitted:
    """A judgment of a campaign, with what follows from it: feedback of a training item, the end of a test, a
    screen-out, one more slot where people disagree. `typed` is what the form held, kept for corrections. Refuses as
    `submit_judgment` does, and NotActive.
    """
    with transaction.atomic():
        related = Respondent.objects.select_related("person", "campaign")
        locked = related.select_for_update(of=["self"]).get(pk=respondent.pk)
        if locked.state != RespondentState.ACTIVE:
            raise NotActive(f"the respondent is {locked.state}")
        judgment = submit_in_transaction(
            assignment_id=assignment_id,
            lease_token=lease_token,
            key=key,
            respondent=locked,
            answers=answers,
            now=now,
            process=process,
        )
        if typed is not None:
            keep_typed(assignment_id=assignment_id, respondent=locked, values=typed, now=now)
        submitted = _follow_up(judgment, locked)
        if not submitted.finished and lock_when_full(locked, session_items=locked.campaign.session_items, now=now):
            return replace(submitted, finished="locked")
        return submitted


def _follow_up(judgment: Judgment, respondent: Respondent) -> Submitted:
    """What an answer leads to, by what its item is for."""
    item = Item.objects.select_related("campaign").get(pk=judgment.item_id)
    if item.purpose == ItemPurpose.TRAINING:
        right = None if item.expected is None else judged_right(item, judgment)
        return Submitted(judgment, right, item.explanation)
    if item.purpose == ItemPurpose.QUALIFICATION:
        return Submitted(judgment, finished=settle_test(item.campaign, respondent))
    if item.purpose == ItemPurpose.ATTENTION and not judged_right(item, judgment):
        return Submitted(judgment, finished=_screen_out_inattentive(item.campaign, respondent))
    if item.purpose == ItemPurpose.WORK and item.repeat_of_id is None:
        ask_more_where_people_disagree(item)
    return Submitted(judgment)


def judged_right(item: Item, judgment: Judgment) -> bool:
    asked = instrument_questions(judgment.instrument_id)
    return is_right(item.expected or [], asked=asked, answers=judgment.answers, order=judgment.order)


def _outcomes(respondent: Respondent, items: QuerySet[Item]) -> list[bool]:
    judgments = Judgment.objects.filter(
        respondent=respondent, item__in=items, superseded_by__isnull=True, kind=JudgmentKind.ANSWER
    )
    return [judged_right(judgment.item, judgment) for judgment in judgments.select_related("item")]


def settle_test(campaign: Campaign, respondent: Respondent) -> str:
    """Once nothing of the newest test is left to a respondent under lock: passed, or screened out.

    What they declined or flagged counts neither way, and whoever was left nothing to answer is not held up.
    """
    newest = newest_set(campaign, ItemPurpose.QUALIFICATION)
    if respondent.state != RespondentState.ACTIVE or is_qualified(respondent.qualified_under_id, newest):
        return ""
    met = Assignment.objects.filter(
        respondent=respondent, state__in=[AssignmentState.SUBMITTED, AssignmentState.SKIPPED]
    ).values("item")
    tests = Item.objects.filter(campaign=campaign, purpose=ItemPurpose.QUALIFICATION, test_of=newest)
    left = tests.filter(state__in=[ItemState.OPEN, ItemState.FROZEN], source__state=SourceState.ACTIVE)
    outcomes = _outcomes(respondent, tests)
    if not outcomes or left.exclude(pk__in=met).exclude(warnings__overlap=respondent.declined_content).exists():
        return ""
    share = share_right(outcomes)
    if share >= (campaign.pass_mark or 0.0):
        respondent.qualified_under_id = campaign.guidelines_id
        respondent.save(update_fields=["qualified_under"])
        record_event(subject=respondent, verb="qualified", actor=None, data={"share_right": round(share, 4)})
        return "qualified"
    return screen_out(respondent, f"{share:.0%} of the test right, {campaign.pass_mark or 0:.0%} are needed")


def _screen_out_inattentive(campaign: Campaign, respondent: Respondent) -> str:
    checks = Item.objects.filter(campaign=campaign, purpose=ItemPurpose.ATTENTION)
    failed = _outcomes(respondent, checks).count(False)
    if failed < FAILED_ATTENTION_CHECKS:
        return ""
    return screen_out(respondent, f"{failed} attention checks failed")


def screen_out(respondent: Respondent, reason: str) -> str:
    """What was judged so far stays, and is paid; the pay of a screen-out comes on top, once in a campaign. What they
    hold, as the item that was fetched ahead, is for others.
    """
    check(RESPONDENT, respondent.state, RespondentState.SCREENED_OUT)
    respondent.state = RespondentState.SCREENED_OUT
    respondent.save(update_fields=["state"])
    record_event(
        subject=respondent,
        verb="screened_out",
        actor=None,
        from_state=RespondentState.ACTIVE,
        to_state=RespondentState.SCREENED_OUT,
        reason=reason,
    )
    take_back_assignments(respondent, database_now())
    pay_screen_out(respondent)
    return "screened_out"


def ask_more_where_people_disagree(item: Item) -> Slot | None:
    """One more slot once all are done and people disagree, up to the campaign's limit; None where none is wanted."""
    limit = item.campaign.overlap_limit
    if limit is None or settled_items([item.pk]):
        return None
    # Who submits the last two at once wait for each other, and the second sees both.
    Item.objects.select_for_update(of=["self"]).get(pk=item.pk)
    slots = Slot.objects.filter(item=item)
    counted = slots.exclude(state=SlotState.CANCELLED)
    if counted.exclude(state=SlotState.DONE).exists() or counted.count() >= limit or not _disagree(item):
        return None
    slot = add_slot(item)
    record_event(subject=item, verb="slot_added", actor=None, reason=PEOPLE_DISAGREE, data={"slot": slot.number})
    return slot


def _disagree(item: Item) -> bool:
    """Whether any two people's answers to some question lie further apart than a third of the way to the opposite."""
    standing = Judgment.objects.filter(item=item, superseded_by__isnull=True, kind="answer")
    judgments = by_whom(standing).order_by("pk")
    said: dict[str, tuple[Asked, list[Given]]] = {}
    for judgment in judgments:
        for question in instrument_questions(judgment.instrument_id):
            if get_type(question.type).can_agree and question.name in judgment.answers:
                given = Given(judgment.answers[question.name], judgment.order)
                said.setdefault(question.name, (question, []))[1].append(given)
    return any(
        get_type(question.type).apart(question, one, other) > DISAGREE
        for question, answers in said.values()
        for one, other in combinations(answers, 2)
        if one.stored is not None and other.stored is not None
    )
