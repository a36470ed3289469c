"""Items that come back to whoever answered them, as long as they are there."""

import pytest
from django.utils import timezone

from annotation.models import Assignment, Campaign, Item, Judgment
from annotation.use_cases.claim_slot import take_item
from annotation.use_cases.next_assignment import NothingLeft
from annotation.use_cases.repeat_item import repeat_item
from annotation.use_cases.retire_source import retire_source
from annotation.use_cases.void_item import void_item
from tests.annotation.people.working import given, joined, judged
from tests.annotation.worth.bidding import bids, paid_campaign, prepared
from tests.factories import PREFERENCE, make_campaign, make_item

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def campaign() -> Campaign:
    """Six items, of which the first that somebody answers may come back as their seventh."""
    campaign = make_campaign(questions=[PREFERENCE])
    Campaign.objects.filter(pk=campaign.pk).update(repeat_share=0.5)
    campaign.refresh_from_db()
    for number in range(6):
        make_item(campaign, prompt=f"Question {number}?", slots=2)
    return campaign


def take_out(item_id: int) -> None:
    void_item(item_id=item_id, actor=None, reason="broken", now=NOW())


def comes_back(campaign, person) -> int | None:
    """The item that is repeated to whoever has answered all six. Every second draw asks for a repeat."""
    for _ in range(30):
        try:
            return given(campaign, person).item.repeat_of_id
        except NothingLeft:
            continue
    return None


@pytest.mark.parametrize("is_out", [False, True])
def test_what_was_answered_comes_back_unless_it_was_taken_out(campaign, is_out):
    person = joined(campaign)
    first, *_others = [judged(campaign, person).item_id for _ in range(6)]
    if is_out:
        take_out(first)
        assert repeat_item(item_id=first, now=NOW()) is None
    assert comes_back(campaign, person) == (None if is_out else first)


def test_a_repeat_that_was_taken_out_itself_is_passed_over(campaign):
    person = joined(campaign)
    first, *_others = [judged(campaign, person).item_id for _ in range(6)]
    again = repeat_item(item_id=first, now=NOW())
    assert again is not None
    take_out(again.pk)
    assert comes_back(campaign, person) is None


def test_no_item_of_a_retired_file_comes_back(campaign):
    person = joined(campaign)
    last = [judged(campaign, person) for _ in range(6)][-1]
    retire_source(source_id=last.item.source_id, actor=None, reason="wrong file", now=NOW())
    assert comes_back(campaign, person) is None


def test_a_repeat_is_taken_out_with_its_item_from_whoever_holds_it_and_with_what_was_said_of_it(campaign):
    person, other = joined(campaign), joined(campaign)
    first, *_others = [judged(campaign, person).item_id for _ in range(6)]
    assert comes_back(campaign, person) == first
    again = judged(campaign, person)
    held = take_item(campaign=campaign, respondent=other, item_id=again.item_id, now=NOW())
    assert (again.item.repeat_of_id, held is None) == (first, False)
    take_out(first)
    assert Assignment.objects.get(pk=held.assignment.pk).state == "cancelled"
    assert set(Item.objects.filter(pk__in=[first, again.item_id]).values_list("state", flat=True)) == {"void"}
    standing = Judgment.objects.filter(item__in=[first, again.item_id], kind="answer", superseded_by=None)
    assert not standing.exists()


def test_no_anchor_that_was_taken_out_comes_back():
    campaign = paid_campaign(items=12, session_items=16)
    anchors = [make_item(campaign, purpose="anchor", slots=0) for _ in range(2)]
    respondent = prepared(campaign)
    while Assignment.objects.filter(respondent=respondent, item__in=anchors, state="submitted").count() < 2:
        bids(campaign, respondent, "3.00")
    take_out(anchors[0].pk)
    for _ in range(8):
        bids(campaign, respondent, "3.00")
    assert [each.repeat_of_id for each in Item.objects.exclude(repeat_of=None)] == [anchors[1].pk]
