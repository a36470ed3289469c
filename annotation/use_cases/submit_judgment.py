from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import IntegrityError, connection, transaction
from django.db.models import OuterRef, Q
from django.db.models.functions import Now

from accounts.texts import write_personal_text
from annotation.enums import AssignmentState, CampaignState, ItemState, SlotState
from annotation.errors import AnnotationError
from annotation.models import Assignment, Impression, Judgment, JudgmentText, Respondent, Response
from annotation.queries import instrument_questions, own_median_amount
from annotation.questions import Asked, Reading, Situation, read_answers
from annotation.transitions import ASSIGNMENT, SLOT
from foundation.idempotency import body_hash, once
from foundation.transitions import check


class NotYourAssignment(AnnotationError):
    """The assignment is somebody else's, or does not exist; the two are not told apart."""


class LeaseExpired(AnnotationError):
    """The time for this item ran out, or another tab took it over; claim again."""


class AlreadyAnswered(AnnotationError):
    """This respondent has answered this item. A correction supersedes, a second answer does not exist."""


class ItemNotOpen(AnnotationError):
    """The item is not ready to be judged, or was voided."""


class CampaignClosed(AnnotationError):
    """The campaign takes no judgments now."""


@dataclass(frozen=True)
class Held:
    """An assignment under lock: what was shown for it, the contestants by position, and whether the lease ran out."""

    assignment: Assignment
    impression: Impression
    contestants: list[int | None]
    ran_out: bool


@dataclass(frozen=True)
class Process:
    """How the answer came about. Client's claims, bounded by the form; None where the client said nothing."""

    rendered_at: datetime | None = None
    first_touch_at: datetime | None = None
    active_ms: int | None = None
    device_class: str = ""


NO_PROCESS = Process()

# Ends the claim in one statement, under the fence: no row means that the lease was not ours any more.
END = """
WITH ended AS (
    UPDATE annotation_assignment SET state = 'submitted', ended_at = now()
    WHERE id = %(assignment)s AND state = 'open' AND lease_token = %(token)s RETURNING slot_id, item_id
), slot AS (
    UPDATE annotation_slot s SET state = 'done' FROM ended e WHERE s.id = e.slot_id
), item AS (
    UPDATE annotation_item i SET state = 'frozen' FROM ended e WHERE i.id = e.item_id AND i.state = 'open'
), shown AS (
    INSERT INTO annotation_impressionevent (impression_id, kind) SELECT %(impression)s, 'answered' FROM ended
)
SELECT count(*) FROM ended
"""


def submit_judgment(
    *,
    assignment_id: int,
    lease_token: UUID,
    key: str,
    respondent: Respondent,
    answers: Mapping[str, Any],
    now: datetime,
    process: Process = NO_PROCESS,
) -> Judgment:
    """Write one respondent's answers to one item into the log, once.

    `key` was minted when the form was rendered: the same key and answers return the first judgment again, other
    answers raise KeyReused, a twin in flight raises InFlight. Refuses NotYourAssignment, LeaseExpired, AlreadyAnswered,
    ItemNotOpen, CampaignClosed and InvalidAnswers; then nothing is written.
    """
    body = body_hash({"assignment": assignment_id, "token": str(lease_token), "answers": dict(answers)})
    scope = f"judgment:{respondent.pk}"
    with transaction.atomic(), once(key=key, scope=scope, body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Judgment.objects.get(pk=attempt.response["judgment"])
        held = lock_assignment(assignment_id, respondent)
        refuse_unless_open(held, lease_token)
        asked = asked_in(held.impression)
        reading = read_answers(asked, answers, situation_of(held, asked))
        judgment = _write(held, respondent, reading, process, now)
        _end(held, lease_token)
        attempt.response = {"judgment": judgment.pk}
    return judgment


def lock_assignment(assignment_id: int, respondent: Respondent) -> Held:
    """The respondent's assignment under lock. Raises NotYourAssignment, and ItemNotOpen for one never shown."""
    contestants = Response.objects.filter(item=OuterRef("item_id")).order_by("position").values("contestant_id")
    found = (
        Assignment.objects.select_for_update(of=["self"])
        .select_related("item__campaign", "slot")
        .annotate(by_position=ArraySubquery(contestants), ran_out=Q(lease_expires_at__lte=Now()))
        .filter(pk=assignment_id, respondent=respondent)
        .first()
    )
    if found is None:
        raise NotYourAssignment("no such assignment of this respondent")
    shown = Impression.objects.filter(assignment=found).order_by("-id").first()
    if shown is None:
        raise ItemNotOpen("the item was never shown under this assignment")
    return Held(found, shown, found.by_position, found.ran_out)


def refuse_unless_open(held: Held, lease_token: UUID) -> None:
    assignment = held.assignment
    if assignment.state == AssignmentState.SUBMITTED:
        raise AlreadyAnswered("this assignment was answered")
    if assignment.state != AssignmentState.OPEN or assignment.lease_token != lease_token:
        raise LeaseExpired(f"the assignment is {assignment.state} or was claimed anew")
    if held.ran_out:
        raise LeaseExpired("the lease ran out")
    if assignment.item.state not in {ItemState.OPEN, ItemState.FROZEN}:
        raise ItemNotOpen(f"the item is {assignment.item.state}")
    if assignment.item.campaign.state not in {CampaignState.RUNNING, CampaignState.PILOT}:
        raise CampaignClosed(f"the campaign is {assignment.item.campaign.state}")
    check(ASSIGNMENT, assignment.state, AssignmentState.SUBMITTED)
    check(SLOT, assignment.slot.state, SlotState.DONE)


def asked_in(impression: Impression) -> list[Asked]:
    return [each for each in instrument_questions(impression.instrument_id) if each.name in impression.questions_asked]


def situation_of(held: Held, asked: list[Asked]) -> Situation:
    prices = any(each.type == "amount" for each in asked)
    return Situation(
        responses=len(held.contestants),
        currency=held.assignment.item.campaign.currency,
        own_median_amount=own_median_amount(held.assignment.respondent_id) if prices else None,
    )


def _write(held: Held, respondent: Respondent, reading: Reading, process: Process, now: datetime) -> Judgment:
    item, impression = held.assignment.item, held.impression
    try:
        judgment = Judgment.objects.create(
            campaign=item.campaign,
            item=item,
            respondent=respondent,
            source_id=item.source_id,
            impression=impression,
            assignment=held.assignment,
            instrument_id=impression.instrument_id,
            guidelines_id=impression.guidelines_id,
            order=impression.order,
            contestants=[held.contestants[position] for position in impression.order],
            answers=reading.answers,
            rendered_at=process.rendered_at,
            first_touch_at=process.first_touch_at,
            active_ms=process.active_ms,
            device_class=process.device_class,
            submitted_at=now,
            **reading.columns,
        )
    except IntegrityError as error:
        if "one_first_judgment_per_respondent_and_item" in str(error):
            raise AlreadyAnswered("this respondent has judged this item") from error
        raise
    seal_texts(judgment, respondent, reading)
    return judgment


def seal_texts(judgment: Judgment, respondent: Respondent, reading: Reading) -> None:
    """Store the answer's free texts under their author's key, which a respondent without a person does not have."""
    for question, text in reading.texts.items():
        if respondent.person is None:
            raise AnnotationError("free text needs a person whose key seals it")
        sealed = write_personal_text(person=respondent.person, text=text)
        JudgmentText.objects.create(judgment=judgment, question=question, personal_text=sealed)


def _end(held: Held, lease_token: UUID) -> None:
    values: dict[str, int | UUID] = {
        "assignment": held.assignment.pk,
        "token": lease_token,
        "impression": held.impression.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(END, values)
        if cursor.fetchone()[0] != 1:
            raise LeaseExpired("the assignment was claimed anew while it was being answered")
