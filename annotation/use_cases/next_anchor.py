"""Which anchor comes next to somebody, if one does: decided from the impression's own seed."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from annotation.enums import AssignmentState, ItemPurpose, ItemState, SourceState
from annotation.models import Assignment, Campaign, Item, Respondent
from annotation.policies.anchors import APART, REPEATED, chance, last_place_for_repeats, places_for_anchors
from annotation.queries.work import Position
from annotation.selection.draws import stream
from annotation.use_cases.repeat_item import repeat_item

# The stream of an impression's seed that decides about anchors.
ANCHOR = 4
MEETABLE = (ItemState.OPEN, ItemState.FROZEN)


def next_anchor(
    *, campaign: Campaign, respondent: Respondent, position: Position, seed: int, now: datetime, at_end: bool = False
) -> int | None:
    """The item to show in place of work, or None.

    Sampled in sequence: every set of places among the first is equally likely for the anchors, and the order of anchors
    is uniform too. Some come back behind them, likewise. With `at_end` there is no other work, and what is left comes.
    """
    if position.anchors_left is None or position.place is None:
        return None
    rng, places = stream(seed, ANCHOR), places_for_anchors(position.session_items)
    drawn = rng.random()
    if position.anchors_left:
        left = list(_unmet(campaign, respondent, position).order_by("pk").values_list("pk", flat=True))
        due = at_end or drawn < chance(len(left), place=position.place, places=places)
        return left[int(rng.integers(len(left)))] if due and left else None
    if position.place < places and not at_end:
        return None
    again = _repeatable(respondent)
    left_to_repeat = REPEATED - _repeats(respondent)
    behind = last_place_for_repeats(position.session_items) - places
    if left_to_repeat <= 0 or not again:
        return None
    if not at_end and drawn >= chance(left_to_repeat, place=position.place - places, places=behind):
        return None
    repeat = repeat_item(item_id=again[int(rng.integers(len(again)))], now=now)
    return None if repeat is None else repeat.pk


def _unmet(campaign: Campaign, respondent: Respondent, position: Position) -> QuerySet[Item]:
    met = Assignment.objects.filter(respondent=respondent, item=OuterRef("pk")).exclude(state=AssignmentState.EXPIRED)
    anchors = Item.objects.filter(
        campaign=campaign,
        purpose=ItemPurpose.ANCHOR,
        repeat_of__isnull=True,
        state__in=MEETABLE,
        source__state=SourceState.ACTIVE,
    )
    return anchors.exclude(warnings__overlap=position.declined).filter(~Exists(met))


def _repeats(respondent: Respondent) -> int:
    """How many anchors came back to this person already."""
    return (
        Assignment.objects.filter(
            respondent=respondent, item__purpose=ItemPurpose.ANCHOR, item__repeat_of__isnull=False
        )
        .exclude(state=AssignmentState.EXPIRED)
        .count()
    )


def _repeatable(respondent: Respondent) -> list[int]:
    """Anchors answered more than APART items ago that did not come back to this person yet."""
    answered = Assignment.objects.filter(respondent=respondent, state=AssignmentState.SUBMITTED)
    rows = answered.order_by("-ended_at", "-pk").values_list("item_id", "item__purpose", "item__repeat_of")[APART:1000]
    ids = [pk for pk, purpose, original in rows if purpose == ItemPurpose.ANCHOR and original is None]
    again = Assignment.objects.filter(respondent=respondent, item__repeat_of__in=ids)
    repeated = set(again.values_list("item__repeat_of", flat=True))
    there = Item.objects.filter(pk__in=ids, state__in=MEETABLE, source__state=SourceState.ACTIVE)
    return sorted(set(there.values_list("pk", flat=True)) - repeated)
