from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from accounts.models import Person
from annotation.enums import AssignmentState, CampaignState, Design, ItemState, RespondentKind, SlotState
from annotation.models import Assignment, Item, Respondent
from annotation.transitions import ASSIGNMENT
from annotation.use_cases.enrol_respondent import enrol_respondent
from annotation.use_cases.note_look import note_look
from annotation.use_cases.record_event import record_event
from annotation.use_cases.show_item import PairChoice, show_item
from annotation.use_cases.submit_judgment import AlreadyAnswered, CampaignClosed, ItemNotOpen
from annotation.use_cases.take_out_judgment import add_slot
from foundation.transitions import check

# Time enough to think, and to ask somebody.
LEASE = timedelta(days=1)
PAIR = PairChoice(design=Design.ASSIGNED, parameters={"shown_as": "adjudication"})


def start_adjudication(*, item_id: int, see_others: bool, actor: Person, now: datetime) -> Assignment:
    """Show an item to an expert who settles it; whoever is none of the campaign's people becomes one.

    The assignment has a slot of its own that nobody else can claim. One that was started before goes on. Raises
    AlreadyAnswered for whoever judged the item, CampaignClosed and ItemNotOpen.
    """
    with transaction.atomic():
        item = Item.objects.select_related("campaign__instrument").get(pk=item_id)
        if item.campaign.state not in (CampaignState.PILOT, CampaignState.RUNNING):
            raise CampaignClosed(f"the campaign is {item.campaign.state}")
        if item.state not in (ItemState.OPEN, ItemState.FROZEN):
            raise ItemNotOpen(f"the item is {item.state}")
        expert = enrol_respondent(campaign=item.campaign, person=actor, kind=RespondentKind.EXPERT, now=now)
        Respondent.objects.select_for_update(of=["self"], no_key=True).get(pk=expert.pk)
        assignment = _under_way(item, expert, now) or _begin(item, expert, now)
        if see_others:
            note_look(item=item, actor=actor, now=now)
    return assignment


def _under_way(item: Item, expert: Respondent, now: datetime) -> Assignment | None:
    met = Assignment.objects.filter(item=item, respondent=expert).exclude(state=AssignmentState.EXPIRED).first()
    if met is None:
        return None
    if met.state != AssignmentState.OPEN:
        raise AlreadyAnswered(f"this person has met the item: {met.state}")
    if met.lease_expires_at > now:
        return met
    check(ASSIGNMENT, met.state, AssignmentState.EXPIRED)
    met.state, met.ended_at = AssignmentState.EXPIRED, now
    met.save(update_fields=["state", "ended_at"])
    return None


def _begin(item: Item, expert: Respondent, now: datetime) -> Assignment:
    slot = add_slot(item, state=SlotState.CANCELLED)
    assignment = Assignment.objects.create(
        slot=slot, item=item, respondent=expert, lease_token=uuid4(), lease_expires_at=now + LEASE
    )
    show_item(
        campaign=item.campaign,
        instrument=item.campaign.asks,
        item_id=item.pk,
        responses=item.responses.count(),
        respondent=expert,
        assignment=assignment,
        prompt_design=Design.ASSIGNED,
        pair=PAIR,
    )
    data = {"assignment": assignment.pk, "slot": slot.number}
    record_event(subject=item, verb="adjudication_started", actor=expert.person, data=data)
    return assignment
