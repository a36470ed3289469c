from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any, Protocol
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.texts import write_personal_text
from annotation.enums import AssignmentState, CampaignState, ItemState, RespondentKind, SlotState
from annotation.errors import AnnotationError
from annotation.models import Judgment, JudgmentText, Respondent
from annotation.policies.arms import price_direction
from annotation.queries import instrument_questions, texts_if_read
from annotation.questions import Asked, Reading, Situation, read_answers
from annotation.transitions import ASSIGNMENT, SLOT
from annotation.use_cases.lock_session import FINAL, AnswersLocked
from foundation.database import planned_cursor
from foundation.idempotency import body_hash, once
from foundation.planned import insert_planned
from foundation.transitions import check


class NotYourAssignment(AnnotationError):
    """The assignment is somebody else's, or does not exist; the two are not told apart."""


class LeaseExpired(AnnotationError):
    """The time for this item ran out, or another tab took it over; claim again."""


class AlreadyAnswered(AnnotationError):
    """This respondent has answered this item. A correction supersedes, a second answer does not exist."""


class ItemNotOpen(AnnotationError):
    """The item is not ready to be judged, or was voided."""


class NotPlayed(AnnotationError):
    """The campaign asks that sounds and films be played further before the item is answered."""


class CampaignClosed(AnnotationError):
    """The campaign takes no judgments now."""


class CampaignPaused(CampaignClosed):
    """It takes none until it goes on; what somebody holds stays theirs."""


@dataclass(frozen=True)
class Held:
    """An assignment under lock, with what hangs on it: item, campaign, and what was shown for it, if anything was.

    `contestants` stand by position, `order` holds positions as shown.
    """

    assignment_id: int
    respondent_id: int
    state: str
    lease_token: UUID
    ran_out: bool
    item_id: int
    slot_state: str
    item_state: str
    source_id: int
    campaign_id: int
    campaign_state: str
    currency: str
    played_share: float | None
    to_play: list[int]  # positions of what must be played, where the campaign asks for it
    contestants: list[int | None]
    impression_id: int
    instrument_id: int
    guidelines_id: int | None
    order: list[int]
    questions_asked: list[str]
    own_amounts: list[Decimal]  # above zero, typed by this respondent before
    incentive: str
    endowment: Decimal | None
    session: str | None  # the state of their session in which amounts are asked
    undone: int | None  # the row that took their earlier answer back, in whose place this one stands


class Shown(Protocol):
    """What an impression asked."""

    @property
    def instrument_id(self) -> int: ...

    @property
    def questions_asked(self) -> list[str]: ...


@dataclass(frozen=True)
class Process:
    """How the answer came about. Client's claims, bounded by the form; None where the client said nothing."""

    rendered_at: datetime | None = None
    first_touch_at: datetime | None = None
    active_ms: int | None = None
    device_class: str = ""
    # The played share of each side's sounds and films, as shown.
    media_played: list[float | None] | None = None


NO_PROCESS = Process()

# Everything a judgment rests on in one statement, in the order of Held: votes are what must be cheap.
HOLD = """
SELECT a.id, a.respondent_id, a.state, a.lease_token, a.lease_expires_at <= statement_timestamp(), a.item_id, s.state,
    i.state, i.source_id, c.id, c.state, c.currency,
    c.played_share, CASE WHEN c.played_share IS NULL THEN ARRAY[]::integer[] ELSE ARRAY(
        SELECT r.position::integer FROM annotation_response r JOIN annotation_turn t ON t.response_id = r.id
        JOIN annotation_mediafile f ON f.campaign_id = c.id AND f.sha256 = substring(t.file FROM '[0-9a-f]{64}')
        WHERE r.item_id = a.item_id AND t.kind = 'file' AND f.seconds IS NOT NULL
    ) END,
    ARRAY(SELECT r.contestant_id FROM annotation_response r WHERE r.item_id = a.item_id ORDER BY r.position),
    m.id, m.instrument_id, m.guidelines_id, m."order", m.questions_asked,
    ARRAY(SELECT j.amount_low FROM annotation_judgment j WHERE j.respondent_id = a.respondent_id AND j.amount_low > 0),
    coalesce(w.incentive, 'stated'), w.endowment, w.state,
    (SELECT u.id FROM annotation_judgment u
     WHERE u.item_id = a.item_id AND u.respondent_id = a.respondent_id AND u.kind = 'undone'
        AND NOT EXISTS (SELECT 1 FROM annotation_judgment n WHERE n.supersedes_id = u.id) LIMIT 1)
FROM annotation_assignment a
LEFT JOIN annotation_worthsession w ON w.respondent_id = a.respondent_id
JOIN annotation_slot s ON s.id = a.slot_id
JOIN annotation_item i ON i.id = a.item_id
JOIN annotation_campaign c ON c.id = i.campaign_id
LEFT JOIN LATERAL (
    SELECT * FROM annotation_impression WHERE assignment_id = a.id ORDER BY id DESC LIMIT 1
) m ON true
WHERE a.id = %(assignment)s AND a.respondent_id = %(respondent)s
FOR UPDATE OF a
"""
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
    ItemNotOpen, AnswersLocked, CampaignClosed and InvalidAnswers; then nothing is written.
    """
    with transaction.atomic():
        return submit_in_transaction(
            assignment_id=assignment_id,
            lease_token=lease_token,
            key=key,
            respondent=respondent,
            answers=answers,
            now=now,
            process=process,
        )


def submit_in_transaction(
    *,
    assignment_id: int,
    lease_token: UUID,
    key: str,
    respondent: Respondent,
    answers: Mapping[str, Any],
    now: datetime,
    process: Process = NO_PROCESS,
) -> Judgment:
    """`submit_judgment` for a use case with more to write: a refusal must end the caller's transaction."""
    body = body_hash({"assignment": assignment_id, "token": str(lease_token), "answers": dict(answers)})
    with once(key=key, scope=f"judgment:{respondent.pk}", body_hash=body, now=now) as attempt:
        if attempt.replayed:
            return Judgment.objects.get(pk=attempt.response["judgment"])
        held = lock_assignment(assignment_id, respondent)
        refuse_unless_open(held, lease_token)
        refuse_unplayed(held, respondent, process)
        asked = asked_in(held)
        reading = read_answers(asked, answers, situation_of(held, asked))
        judgment = _write(held, respondent, reading, process, now)
        _end(held, lease_token)
        attempt.response = {"judgment": judgment.pk}
    return judgment


def lock_assignment(assignment_id: int, respondent: Respondent) -> Held:
    """The respondent's assignment under lock. Raises NotYourAssignment, and ItemNotOpen for one never shown."""
    with planned_cursor() as cursor:
        cursor.execute(HOLD, {"assignment": assignment_id, "respondent": respondent.pk})
        row = cursor.fetchone()
    if row is None:
        raise NotYourAssignment("no such assignment of this respondent")
    held = Held(*row)
    if not held.impression_id:
        raise ItemNotOpen("the item was never shown under this assignment")
    return held


def refuse_unless_open(held: Held, lease_token: UUID) -> None:
    if held.state == AssignmentState.SUBMITTED:
        raise AlreadyAnswered("this assignment was answered")
    if held.state != AssignmentState.OPEN or held.lease_token != lease_token:
        raise LeaseExpired(f"the assignment is {held.state} or was claimed anew")
    # Before the lease: in a pause no time runs out.
    if held.campaign_state == CampaignState.PAUSED:
        raise CampaignPaused("the campaign is paused")
    if held.campaign_state not in {CampaignState.RUNNING, CampaignState.PILOT}:
        raise CampaignClosed(f"the campaign is {held.campaign_state}")
    if held.ran_out:
        raise LeaseExpired("the lease ran out")
    if held.session in FINAL:
        raise AnswersLocked("the answers of this session are locked")
    if held.item_state not in {ItemState.OPEN, ItemState.FROZEN}:
        raise ItemNotOpen(f"the item is {held.item_state}")
    check(ASSIGNMENT, held.state, AssignmentState.SUBMITTED)
    check(SLOT, held.slot_state, SlotState.DONE)


def refuse_unplayed(held: Held, respondent: Respondent, process: Process) -> None:
    """Simulated people have no ears."""
    if not held.to_play or respondent.kind == RespondentKind.SIMULATED:
        return
    shares = process.media_played or []
    for place, position in enumerate(held.order):
        share = shares[place] if place < len(shares) else None
        if position in held.to_play and (share is None or share < (held.played_share or 0)):
            raise NotPlayed(f"of response {place} {share or 0:.0%} was played, {held.played_share:.0%} is asked for")


def asked_in(shown: Shown) -> list[Asked]:
    return [each for each in instrument_questions(shown.instrument_id) if each.name in shown.questions_asked]


def situation_of(held: Held, asked: Sequence[Asked]) -> Situation:
    return Situation(
        responses=len(held.contestants),
        currency=held.currency,
        own_median_amount=median(held.own_amounts) if held.own_amounts else None,
        incentive=held.incentive,
        texts=texts_if_read(asked, held.item_id, held.order),
        endowment=held.endowment,
        price_direction=price_direction(held.respondent_id),
    )


def _write(held: Held, respondent: Respondent, reading: Reading, process: Process, now: datetime) -> Judgment:
    try:
        judgment = Judgment(
            campaign_id=held.campaign_id,
            item_id=held.item_id,
            respondent=respondent,
            source_id=held.source_id,
            impression_id=held.impression_id,
            assignment_id=held.assignment_id,
            supersedes_id=held.undone,
            instrument_id=held.instrument_id,
            guidelines_id=held.guidelines_id,
            order=held.order,
            contestants=[held.contestants[position] for position in held.order],
            answers=reading.answers,
            rendered_at=process.rendered_at,
            first_touch_at=process.first_touch_at,
            active_ms=process.active_ms,
            device_class=process.device_class,
            media_played=process.media_played,
            submitted_at=now,
            **reading.columns,
        )
        insert_planned(judgment)
    except IntegrityError as error:
        if "one_first_judgment_per_respondent_and_item" in str(error):
            raise AlreadyAnswered("this respondent has judged this item") from error
        raise
    seal_texts(judgment, respondent, reading)
    return judgment


def seal_texts(judgment: Judgment, respondent: Respondent, reading: Reading) -> None:
    """Store the answer's free texts under their author's key, which a respondent without a person does not have.

    The made-up words of simulated people are nobody's, and not kept.
    """
    if respondent.kind == RespondentKind.SIMULATED:
        return
    for question, text in reading.texts.items():
        if respondent.person is None:
            raise AnnotationError("free text needs a person whose key seals it")
        sealed = write_personal_text(person=respondent.person, text=text)
        JudgmentText.objects.create(judgment=judgment, question=question, personal_text=sealed)


def _end(held: Held, lease_token: UUID) -> None:
    values: dict[str, int | UUID] = {
        "assignment": held.assignment_id,
        "token": lease_token,
        "impression": held.impression_id,
    }
    with planned_cursor() as cursor:
        cursor.execute(END, values)
        if cursor.fetchone()[0] != 1:
            raise LeaseExpired("the assignment was claimed anew while it was being answered")
