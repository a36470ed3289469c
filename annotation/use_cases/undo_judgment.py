import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from annotation.enums import (
    AssignmentState,
    CampaignState,
    ItemPurpose,
    JudgmentKind,
    Participation,
    RespondentState,
    ReviewState,
    SlotState,
)
from annotation.errors import AnnotationError
from annotation.models import Event, Impression, Item, Judgment, Respondent, Review, Slot, StudyParticipant
from annotation.policies.stages import is_qualified
from annotation.queries.work import newest_set
from annotation.transitions import ASSIGNMENT, SLOT
from annotation.use_cases.lock_session import refuse_if_locked
from annotation.use_cases.record_event import record_event
from annotation.use_cases.submit_judgment import CampaignClosed, NotYourAssignment
from annotation.use_cases.submit_work import PEOPLE_DISAGREE, NotActive
from annotation.use_cases.supersede_judgment import AlreadySuperseded, supersede
from annotation.use_cases.withdraw_fee import take_fee_back
from foundation.transitions import check

# Sixty seconds, so that a slip can be undone, and a little for the way here.
UNDO_WITHIN = timedelta(seconds=65)
# What an annotator is told of an impression is told once; a second showing of the same item is no new draw.
SHOWN_ONCE = {"id", "shown_at"}
# The lease runs on the database's clock, with a new fence.
REOPEN = """
UPDATE annotation_assignment a SET state = 'open', ended_at = NULL, lease_token = %(token)s,
    lease_expires_at = now() + make_interval(secs => %(lease)s)
WHERE a.id = %(assignment)s AND a.state = 'submitted' RETURNING a.slot_id
"""


class TooLateToUndo(AnnotationError):
    """The minute is over, or something has followed from the answer since."""


def undo_judgment(*, judgment_id: int, respondent: Respondent, now: datetime) -> Judgment:
    """Take one's own answer back within a minute: it leaves every view, and the item is one's own again, open, with
    what was typed as its draft. Until it is answered anew nobody has judged it, and no fee is owed for it.

    Asked again, the same row is returned. Raises NotYourAssignment, NotActive, AnswersLocked, CampaignClosed,
    AlreadySuperseded and TooLateToUndo; then nothing is written.
    """
    with transaction.atomic():
        # Whoever reviews, blocks, locks or draws holds this row too: they come before, or find the answer gone. Its
        # key stays free, as fees are written while the ledger is held, which is held after it.
        people = Respondent.objects.select_related("person", "campaign")
        locked = people.select_for_update(of=["self"], no_key=True).get(pk=respondent.pk)
        judgment = (
            Judgment.objects.select_related("item", "assignment__slot", "impression")
            .filter(pk=judgment_id, respondent=locked, kind=JudgmentKind.ANSWER, assignment__isnull=False)
            .first()
        )
        if judgment is None:
            raise NotYourAssignment("no such answer of this respondent")
        undone = Judgment.objects.filter(supersedes=judgment, kind=JudgmentKind.UNDONE).first()
        if undone is not None:
            return undone
        _refuse(judgment, locked, now)
        return _undo(judgment, locked, now)


def _refuse(judgment: Judgment, respondent: Respondent, now: datetime) -> None:
    if respondent.state != RespondentState.ACTIVE:
        raise NotActive(f"the respondent is {respondent.state}")
    refuse_if_locked(respondent)
    if respondent.campaign.state not in {CampaignState.RUNNING, CampaignState.PILOT}:
        raise CampaignClosed(f"the campaign is {respondent.campaign.state}")
    if Judgment.objects.filter(supersedes=judgment).exists():
        raise AlreadySuperseded(f"judgment {judgment.pk} was superseded")
    if now - judgment.submitted_at > UNDO_WITHIN:
        raise TooLateToUndo("the minute is over")
    if Review.objects.filter(judgment=judgment).exclude(state=ReviewState.PENDING).exists():
        raise TooLateToUndo("somebody decided about it")
    participation = StudyParticipant.objects.filter(respondent=respondent).exclude(state=Participation.STARTED)
    if _has_told(judgment, respondent) or participation.exists():
        raise TooLateToUndo("something has followed from it")


def _has_told(judgment: Judgment, respondent: Respondent) -> bool:
    """Whether the answer was followed by what would have been right, or ended a test."""
    purpose = judgment.item.purpose
    if purpose == ItemPurpose.QUALIFICATION:
        newest = newest_set(respondent.campaign, ItemPurpose.QUALIFICATION)
        return is_qualified(respondent.qualified_under_id, newest)
    return purpose == ItemPurpose.TRAINING and (judgment.item.expected is not None or bool(judgment.item.explanation))


def _undo(judgment: Judgment, respondent: Respondent, now: datetime) -> Judgment:
    # Whoever gives the last answer of the item meanwhile asks for one more, or waits and does not.
    Item.objects.select_for_update(of=["self"], no_key=True).get(pk=judgment.item_id)
    try:
        with transaction.atomic():
            undone = supersede(judgment, kind=JudgmentKind.UNDONE, submitted_at=now)
    except IntegrityError as error:
        raise AlreadySuperseded(f"judgment {judgment.pk} was superseded") from error
    _hold_again(judgment, respondent)
    _show_again(judgment.impression)
    _ask_no_more(judgment)
    take_fee_back(judgment=judgment, now=now)
    record_event(
        subject=undone,
        verb="undone",
        actor=respondent.person,
        from_state=AssignmentState.SUBMITTED,
        to_state=AssignmentState.OPEN,
        data={"judgment": judgment.pk, "assignment": judgment.assignment_id},
    )
    return undone


def _hold_again(judgment: Judgment, respondent: Respondent) -> None:
    check(ASSIGNMENT, AssignmentState.SUBMITTED, AssignmentState.OPEN)
    check(SLOT, SlotState.DONE, SlotState.CLAIMED)
    values: dict[str, int | uuid.UUID | None] = {
        "assignment": judgment.assignment_id,
        "token": uuid.uuid4(),
        "lease": respondent.campaign.lease_seconds,
    }
    with connection.cursor() as cursor:
        cursor.execute(REOPEN, values)
        row = cursor.fetchone()
    if row is None or Slot.objects.filter(pk=row[0], state=SlotState.DONE).update(state=SlotState.CLAIMED) != 1:
        raise TooLateToUndo("the place of this answer was taken out")


def _show_again(impression: Impression) -> None:
    """Every showing ends once. The second carries the probabilities of the first: nothing was drawn in between."""
    fields = [field for field in Impression._meta.concrete_fields if field.name not in SHOWN_ONCE]
    carried = {field.attname: getattr(impression, field.attname) for field in fields}
    carried["parameters"] = {**impression.parameters, "again": impression.pk}
    Impression.objects.create(**carried)


def _ask_no_more(judgment: Judgment) -> None:
    """Another judgment is asked for where all are given and disagree. Now not all are: what nobody took goes again."""
    asked = Event.objects.filter(
        subject=Item._meta.label_lower, subject_id=str(judgment.item_id), verb="slot_added", reason=PEOPLE_DISAGREE
    )
    numbers = [each.data["slot"] for each in asked]
    if numbers:
        check(SLOT, SlotState.OPEN, SlotState.CANCELLED)
        slots = Slot.objects.filter(item=judgment.item_id, number__in=numbers, state=SlotState.OPEN)
        slots.update(state=SlotState.CANCELLED)
