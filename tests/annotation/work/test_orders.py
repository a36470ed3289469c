"""The order in which responses are shown: drawn each time, or balanced over the judgments of an item; and the shares
of what is shown beside work."""

import math
import time
from collections import Counter
from contextlib import nullcontext
from functools import partial

import pytest
from django.utils import timezone

from annotation.enums import ItemPurpose
from annotation.models import Campaign, Impression
from annotation.selection import draws
from annotation.use_cases import show_item as showing
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.skip_assignment import skip_assignment
from tests.annotation.people.working import judged
from tests.factories import PREFERENCE, make_campaign, make_item, make_respondent
from tests.foundation.threads import run_together

NOW = timezone.now
RATING = {"name": "ratings", "type": "rating", "settings": {"attributes": ["Helpful"]}}


def campaign_of(*, responses: int = 2, slots: int = 8, **values) -> Campaign:
    campaign = make_campaign(questions=[RATING if responses > 2 else PREFERENCE])
    Campaign.objects.filter(pk=campaign.pk).update(responses_per_item=responses, **values)
    campaign.refresh_from_db()
    make_item(campaign, texts=[f"Response {number}." for number in range(responses)], slots=slots)
    return campaign


def shown(campaign: Campaign) -> Impression:
    return next_assignment(campaign=campaign, respondent=make_respondent(campaign), now=NOW()).impression


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_after_every_showing_no_two_places_of_a_response_differ_by_more_than_one(count):
    orders: list[list[int]] = []
    for number in range(3 * count):
        drawn = draws.draw_balanced_order(draws.times_in_place(orders, count), seed=1000 * count + number)
        assert sorted(drawn.order) == list(range(count))
        assert number or drawn.probability == 1 / math.factorial(count)
        orders.append(drawn.order)
        times = [each for row in draws.times_in_place(orders, count) for each in row]
        assert max(times) - min(times) <= 1
    assert set(times) == {3}


def test_the_probability_is_that_of_the_order_given_what_was_shown():
    """Of three responses, after one order: two of the six repeat no place, and they are drawn alike."""
    times = draws.times_in_place([[0, 1, 2]], 3)
    drawn = [draws.draw_balanced_order(times, seed=seed) for seed in range(2000)]
    assert {each.probability for each in drawn} == {0.5}
    counts = Counter(tuple(each.order) for each in drawn)
    assert set(counts) == {(1, 2, 0), (2, 0, 1)}
    assert abs(counts[1, 2, 0] - 1000) < 5 * math.sqrt(500)


@pytest.mark.django_db
def test_balanced_each_side_is_shown_as_often_with_the_probability_of_each_draw():
    campaign = campaign_of(order_design="balanced")
    impressions = [shown(campaign) for _ in range(8)]
    assert Counter(tuple(each.order) for each in impressions) == {(0, 1): 4, (1, 0): 4}
    assert [each.p_side for each in impressions] == [0.5, 1.0] * 4
    assert {each.side_design for each in impressions} == {"drawn"}
    again = draws.draw_balanced_order(impressions[5].parameters["times_in_place"], seed=impressions[5].seed)
    assert again.order == impressions[5].order


@pytest.mark.django_db
def test_drawn_each_time_is_what_a_campaign_does_by_itself():
    campaign = campaign_of(slots=12)
    impressions = [shown(campaign) for _ in range(12)]
    assert {each.p_side for each in impressions} == {0.5}
    assert not any("times_in_place" in each.parameters for each in impressions)


@pytest.mark.django_db
def test_what_is_given_back_or_taken_out_leaves_its_place_to_the_next():
    campaign = campaign_of(order_design="balanced", slots=3)
    person = make_respondent(campaign)
    first = next_assignment(campaign=campaign, respondent=person, now=NOW())
    lease = first.assignment.lease_token
    skip_assignment(assignment_id=first.assignment.pk, lease_token=lease, respondent=person, reason="", now=NOW())
    blocked = make_respondent(campaign)
    judged(campaign, blocked, answer="a")
    block_respondent(respondent_id=blocked.pk, reason="spam", actor=None, now=NOW())
    after = [shown(campaign) for _ in range(2)]
    assert [each.p_side for each in after] == [0.5, 1.0]
    assert after[0].order != after[1].order


@pytest.mark.django_db
def test_four_responses_stand_once_in_each_place_over_four_judgments():
    campaign = campaign_of(responses=4, order_design="balanced", slots=4)
    orders = [shown(campaign).order for _ in range(4)]
    assert draws.times_in_place(orders, 4) == [[1] * 4] * 4


def two_at_once(monkeypatch) -> list[float]:
    """The probabilities of two orders of one item that are drawn at the same moment."""
    looked = showing.orders_shown

    def look_slowly(*names, **values):
        found = looked(*names, **values)
        time.sleep(0.1)
        return found

    monkeypatch.setattr(showing, "orders_shown", look_slowly)
    campaign = campaign_of(order_design="balanced", slots=2)
    people = [make_respondent(campaign) for _ in range(2)]
    run_together(*(partial(next_assignment, campaign=campaign, respondent=each, now=NOW()) for each in people))
    return sorted(Impression.objects.values_list("p_side", flat=True))


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_the_second_is_shown_what_the_first_was_not(monkeypatch):
    assert two_at_once(monkeypatch) == [0.5, 1.0]
    first, second = Impression.objects.values_list("order", flat=True)
    assert first != second


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_both_are_the_first(monkeypatch):
    monkeypatch.setattr(showing, "advisory_lock", lambda name: nullcontext())
    assert two_at_once(monkeypatch) == [0.5, 0.5]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("shares", "only"),
    [
        ({"gold_share": 0.5}, {ItemPurpose.GOLD}),
        ({"attention_share": 0.5}, {ItemPurpose.ATTENTION}),
        ({"gold_share": 0.4, "attention_share": 0.4}, {ItemPurpose.GOLD, ItemPurpose.ATTENTION}),
    ],
    ids=["gold", "attention", "both"],
)
def test_gold_and_attention_checks_have_each_a_share_of_their_own(shares, only):
    campaign = campaign_of(slots=60, **shares)
    for purpose in (ItemPurpose.GOLD, ItemPurpose.ATTENTION):
        make_item(campaign, purpose=purpose, expected=[{"question": "preference", "values": ["a"]}])
    met = Counter(shown(campaign).item.purpose for _ in range(40))
    assert set(met) == {ItemPurpose.WORK, *only}
