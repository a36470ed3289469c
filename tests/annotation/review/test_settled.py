"""What an expert's answer settles, and what reviewers are shown of others' answers, of repeats and of what waits."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Event, Flag, Item, LedgerEntry
from annotation.queries import standing_judgments
from annotation.queries.answered import turned
from annotation.queries.reviews import Wanted, queue_of
from annotation.use_cases.accrue_fees import sweep_fees
from annotation.use_cases.claim_slot import take_item
from annotation.use_cases.correct_judgment import correct_judgment
from annotation.use_cases.make_batch import make_batch
from annotation.use_cases.repeat_item import repeat_item
from annotation.use_cases.return_batch import return_batch
from annotation.use_cases.show_item import show_item
from annotation.use_cases.submit_work import ask_more_where_people_disagree, submit_work
from annotation.use_cases.void_item import void_item
from tests.annotation.numbering import number_log
from tests.annotation.people.working import given, joined, judged
from tests.annotation.review.reviewing import (
    judged_by,
    make_reviewer,
    one_judgment,
    reject,
    rejected,
    reviewed_campaign,
    settle,
)
from tests.factories import make_item, new_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return reviewed_campaign()


@pytest.fixture
def client():
    client = Client()
    client.force_login(make_reviewer()[0])
    return client


def page_of(client, judgment, **query):
    return client.get(reverse("review-judgment", args=["trial", judgment.pk]), query).content.decode()


def counted(campaign, **options):
    number_log()
    return {each.pk for each in standing_judgments(campaign, **options)}


def test_what_an_expert_settled_waits_for_nobody_and_its_judgments_say_so(campaign, client):
    item, judgments = judged_by(campaign, 2)
    other = one_judgment(campaign)
    expert = settle(item, "a").judgment
    waits = queue_of(campaign, Wanted(), None).ids
    assert waits == [other.pk]
    assert queue_of(campaign, Wanted(states=("settled",)), None).ids == [expert.pk, judgments[1].pk, judgments[0].pk]
    listed = client.get(reverse("review-queue", args=["trial"]), {"state": "settled"}).content.decode()
    assert listed.count("Settled by an expert</span>") == 3
    assert "An expert has settled this item" in page_of(client, judgments[0])
    assert "the expert’s answer that settles the item" in page_of(client, expert)
    # Somebody may decide about them all the same.
    reject(judgments[0], make_reviewer()[1])
    assert queue_of(campaign, Wanted(), None).ids == [judgments[0].pk, other.pk]


def test_an_experts_answer_is_no_vote_more_also_when_it_is_corrected(campaign):
    item, judgments = judged_by(campaign, 2)
    votes = {each.pk for each in judgments}
    expert = settle(item, "a").judgment
    assert counted(campaign) == votes
    assert counted(campaign, with_settling=True) == votes | {expert.pk}
    correction = correct_judgment(
        judgment_id=expert.pk,
        key=new_key(),
        respondent=expert.respondent,
        answers={"preference": {"choice": "b", "strength": None}},
        typed={},
        now=timezone.now(),
    )
    assert counted(campaign) == votes
    assert counted(campaign, with_settling=True) == votes | {correction.pk}
    assert correction.pk in queue_of(campaign, Wanted(states=("settled",)), None).ids


def test_nobody_else_is_asked_about_what_is_settled(campaign):
    type(campaign).objects.filter(pk=campaign.pk).update(overlap_limit=5)
    item, _judgments = judged_by(campaign, 2)
    settle(item, "a")
    assert ask_more_where_people_disagree(Item.objects.select_related("campaign").get(pk=item.pk)) is None


def test_a_judged_item_is_taken_out_alone_and_asks_nobody_else(campaign):
    type(campaign).objects.filter(pk=campaign.pk).update(pay_per_judgment=1)
    item, judgments = judged_by(campaign, 2)
    other = one_judgment(campaign)
    void_item(item_id=item.pk, actor=None, reason="broken", now=timezone.now())
    assert counted(campaign) == {other.pk}
    assert not item.slots.filter(state__in=["open", "claimed"]).exists()
    assert queue_of(campaign, Wanted(), None).ids == [other.pk]
    # What was judged is owed all the same.
    sweep_fees(now=timezone.now())
    assert LedgerEntry.objects.count() == len(judgments) + 1


def test_flags_are_resolved_with_a_word_by_a_reviewer(campaign, client):
    judgment = one_judgment(campaign)
    Flag.objects.create(item=judgment.item, respondent=judgment.respondent, reason="broken")
    assert reverse("item-flags", args=["trial", judgment.item_id]) in page_of(client, judgment)
    address = reverse("item-flags", args=["trial", judgment.item_id])
    assert client.post(address, {"words": " "}).status_code == 422
    assert "Resolved" in client.post(address, {"words": "Mended."}, follow=True).content.decode()
    assert Flag.objects.get().resolved_at is not None
    assert Event.objects.get(verb="flags_resolved").reason == "Mended."
    page = page_of(client, judgment)
    assert ("Its flags were resolved" in page, "Mended." in page, address in page) == (True, True, False)
    assert client.get(reverse("review")).context["rows"][0][1] == {}


@pytest.mark.parametrize(
    ("stored", "here"),
    [
        ({"choice": "a", "strength": 3, "scale": 3}, {"choice": "b", "strength": -3, "scale": 3}),
        ({"choice": "tie", "strength": None}, {"choice": "tie", "strength": None}),
        ([True, False], [False, True]),
        ({"values": {"clarity": [5, 2]}}, {"values": {"clarity": [2, 5]}}),
        ({"side": "b", "amount": "2.50"}, {"side": "a", "amount": "2.50"}),
        ({"side": "a", "rows": [True, False]}, {"side": "b", "rows": [True, False]}),
        ({"marks": [{"response": 0, "kind": "good"}]}, {"marks": [{"response": 1, "kind": "good"}]}),
        ({"mode": "item", "labels": ["short", "kind"]}, {"mode": "item", "labels": ["short", "kind"]}),
        ({"mode": "response", "labels": [["short"], []]}, {"mode": "response", "labels": [[], ["short"]]}),
        ({"of": 0}, {"of": 1}),
        ({"context": "a", "words": "At work"}, {"context": "a", "words": "At work"}),
    ],
)
def test_an_answer_is_turned_to_other_sides(stored, here):
    assert turned(stored, [1, 0]) == here
    assert turned(stored, [0, 1]) == stored


def test_an_order_of_three_is_turned():
    # What was shown first stands second here, the second third, the third first.
    assert turned({"tiers": [1, 2, 3]}, [1, 2, 0]) == {"tiers": [3, 1, 2]}


def test_others_answers_are_named_by_the_sides_of_the_judgment_and_in_words():
    preference = {"name": "preference", "type": "preference", "settings": {"strength": "required"}}
    campaign = reviewed_campaign(questions=[preference])
    item = make_item(campaign, slots=40)
    said, orders = [], set()
    while len(orders) < 2 or len(said) < 3:
        person = joined(campaign)
        assignment = given(campaign, person)
        first_is_a = assignment.impressions.get().order[0] == 0
        said.append(judged_with(campaign, person, "a" if first_is_a else "b", 3))
        orders.add(tuple(said[-1].order))
    client = Client()
    client.force_login(make_reviewer()[0])
    client.post(reverse("review-others", args=["trial", said[0].pk]))
    context = client.get(reverse("review-judgment", args=["trial", said[0].pk])).context
    # All prefer the same response, whatever side they saw it on.
    own = context["said"][0].lines
    assert own[1] == "how much: Much better"
    assert [each[0].lines for _other, each in context["others"]] == [own] * (len(said) - 1)
    assert item.pk == said[0].item_id


def judged_with(campaign, person, choice, strength):
    return answered(given(campaign, person), person, choice, strength)


def answered(assignment, person, choice, strength=None):
    return submit_work(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        key=new_key(),
        respondent=person,
        answers={"preference": {"choice": choice, "strength": strength}},
        now=timezone.now(),
    ).judgment


def test_a_repeat_says_so_and_shows_the_first_answer_and_others_of_the_original(campaign, client):
    item, [first, _other] = judged_by(campaign, 2)
    person, repeat = first.respondent, repeat_item(item_id=item.pk, now=timezone.now())
    taken = take_item(campaign=campaign, respondent=person, item_id=repeat.pk, now=timezone.now()).assignment
    show_item(
        campaign=campaign,
        instrument=campaign.asks,
        item_id=repeat.pk,
        responses=2,
        respondent=person,
        assignment=taken,
        prompt_design="assigned",
    )
    second = answered(taken, person, "a")
    page = page_of(client, second)
    assert f"This item repeats item {item.pk}" in page
    assert reverse("review-judgment", args=["trial", first.pk]) in page
    assert "1 other judgment, hidden" in page
    assert "This person’s first answer" not in page_of(client, first)


def test_appeals_and_second_rejections_come_first_and_are_counted(campaign, client):
    old, older = one_judgment(campaign), one_judgment(campaign)
    newest = one_judgment(campaign)
    reject(old, make_reviewer()[1])
    rejected(older)
    type(older.review).objects.filter(judgment=older).update(state="appealed")
    assert queue_of(campaign, Wanted(), None).ids == [older.pk, old.pk, newest.pk]
    assert queue_of(campaign, Wanted(before=newest.pk), None).ids == []
    context = client.get(reverse("review")).context
    assert [(each.slug, counts) for each, counts in context["rows"]] == [("trial", {"appealed": 1, "contested": 1})]


def test_a_rejection_without_words_says_that_it_needs_them(campaign, client):
    judgment = one_judgment(campaign)
    page = page_of(client, judgment)
    assert ("A rejection needs one; the annotator reads it." in page, "(optional)" in page) == (True, False)


def test_annotators_are_told_of_a_rejection_until_they_appeal_and_find_it_at_the_top(campaign):
    bad = one_judgment(campaign, prompt="The rejected one")
    rejected(bad)
    own = Client()
    own.force_login(bad.respondent.person.user)
    for number in range(26):
        make_item(campaign, prompt=f"Later {number}")
        judged(campaign, bad.respondent)
    told = "Two reviewers rejected 1 answer of yours."
    for address in ("/annotate", "/annotate/trial"):
        page = own.get(address).content.decode()
        assert (told in page, "Not what was asked." in page, "/annotate/trial/history" in page) == (True, True, True)
    assert own.get("/annotate/trial/history").context["rows"][0][0].judgment == bad
    appeal = own.post(reverse("work-appeal", args=["trial", bad.pk]), {"words": "But it was."})
    assert appeal["Location"] == f"/annotate/trial/history?item={bad.item_id}#item-{bad.item_id}"
    assert own.get(appeal["Location"]).context["rows"][0][0].judgment == bad
    assert told not in own.get("/annotate").content.decode()
    # A line of the earnings leads to any answer.
    first = own.get("/annotate/trial/history?page=2").context["rows"][-1][0].judgment
    assert own.get(f"/annotate/trial/history?item={first.item_id}").context["rows"][0][0].judgment == first


def test_annotators_are_told_of_a_returned_batch(campaign):
    judgment = one_judgment(campaign)
    batch = make_batch(campaign_id=campaign.pk, actor=make_reviewer()[1], now=timezone.now())
    admin = make_reviewer()[1]
    return_batch(batch_id=batch.pk, message="Another question was meant.", actor=admin, now=timezone.now())
    own = Client()
    own.force_login(judgment.respondent.person.user)
    page = own.get("/annotate").content.decode()
    assert ("1 answer of yours was returned with others" in page, "Another question was meant." in page) == (True, True)
