"""Blocking takes a person's judgments out and reopens their slots, both at once or neither."""

import time
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import ItemPurpose
from annotation.models import Assignment, Event, ImpressionEvent, Judgment, Respondent, Slot
from annotation.queries import standing_judgments
from annotation.queries.people import block_effect, listed_people
from annotation.use_cases import block_respondent as module
from annotation.use_cases import take_out_judgment
from annotation.use_cases.block_respondent import block_respondent, unblock_respondent
from annotation.use_cases.next_assignment import NothingLeft, NotNow
from annotation.use_cases.submit_work import NotActive
from tests.annotation.numbering import number_log
from tests.annotation.people.working import given, joined, judged
from tests.factories import PREFERENCE, make_campaign, make_item, make_user
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db

TRANSACTIONAL = pytest.mark.django_db(transaction=True)


class Stop(Exception):
    """A failure in the middle."""


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", questions=[PREFERENCE])


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def address(name, respondent):
    return reverse(name, args=["trial", respondent.pk])


def block(respondent):
    return block_respondent(respondent_id=respondent.pk, reason="clicks at random", actor=None, now=timezone.now())


def everything():
    """All that blocking could have changed."""
    return {
        "states": list(Respondent.objects.order_by("pk").values_list("pk", "state")),
        "slots": sorted(Slot.objects.values_list("item", "number", "state")),
        "assignments": sorted(Assignment.objects.values_list("pk", "state")),
        "judgments": sorted(Judgment.objects.values_list("pk", "kind")),
        "ends": ImpressionEvent.objects.count(),
        "events": Event.objects.count(),
    }


def test_what_is_promised_is_what_happens_and_others_are_asked(campaign, admin):
    for _ in range(3):
        make_item(campaign)
    bad, good = joined(campaign, username="bad"), joined(campaign)
    items = {judged(campaign, bad).item_id for _ in range(2)}
    held = given(campaign, bad)
    with pytest.raises(NothingLeft):
        given(campaign, good)
    number_log()
    assert standing_judgments(campaign).count() == 2
    effect = block_effect(bad)
    assert (effect.judgments, effect.slots) == (2, 3)
    page = admin.get(address("campaign-person", bad)).content.decode()
    assert ("2 judgments are taken out." in page, "3 slots reopen for others." in page) == (True, True)

    answer = admin.post(address("campaign-person-block", bad), {"reason": "clicks at random"}, follow=True)

    shown = answer.content.decode()
    assert ("Blocked. 2 judgments were taken out." in shown, "clicks at random" in shown) == (True, True)
    assert Slot.objects.filter(campaign=campaign, state="open").count() == effect.slots
    assert ImpressionEvent.objects.get(impression__assignment=held).kind == "voided"
    number_log()
    assert standing_judgments(campaign).count() == 0
    # The log keeps them, each under its retraction.
    assert sorted(Judgment.objects.values_list("kind", flat=True)) == ["answer"] * 2 + ["retraction"] * 2
    assert {judged(campaign, good).item_id for _ in range(3)} == items | {held.item_id}
    with pytest.raises(NothingLeft):
        given(campaign, good)


def test_checks_are_taken_out_but_ask_nobody_else(campaign):
    make_item(campaign)
    gold = make_item(
        campaign,
        slots=0,
        purpose=ItemPurpose.TRAINING,
        expected=[{"question": "preference", "values": ["a"]}],
        explanation="It is.",
    )
    respondent = joined(campaign)
    assert judged(campaign, respondent).item_id == gold.pk
    judged(campaign, respondent)
    assert (block_effect(respondent).judgments, block_effect(respondent).slots) == (2, 1)
    assert block(respondent) == 2
    assert Slot.objects.filter(state="open").exclude(item=gold).count() == 1
    assert not Slot.objects.filter(state="open", item=gold).exists()


def test_a_block_needs_a_reason_and_the_same_again_does_nothing_more(campaign, admin):
    make_item(campaign)
    respondent = joined(campaign)
    judged(campaign, respondent)
    refused = admin.post(address("campaign-person-block", respondent), {"reason": " "})
    assert (refused.status_code, list(refused.context["state_form"].errors)) == (422, ["reason"])
    assert Respondent.objects.get(pk=respondent.pk).state == "active"
    for _twice in range(2):
        answer = admin.post(address("campaign-person-block", respondent), {"reason": "clicks"})
        assert answer["Location"] == address("campaign-person", respondent)
    assert Judgment.objects.filter(kind="retraction").count() == 1
    event = Event.objects.get(subject="annotation.respondent", verb="blocked")
    assert (event.reason, event.data, event.from_state, event.to_state) == (
        "clicks",
        {"judgments": 1, "taken": [Judgment.objects.get(kind="answer").pk]},
        "active",
        "blocked",
    )


def test_who_has_withdrawn_is_neither_blocked_nor_brought_back(campaign, admin):
    respondent = joined(campaign)
    Respondent.objects.filter(pk=respondent.pk).update(state="withdrawn")
    for name in ("campaign-person-block", "campaign-person-unblock"):
        answer = admin.post(address(name, respondent), {"reason": "why not"})
        assert (answer.status_code, "Nothing was changed." in answer.content.decode()) == (422, True)


def test_who_is_blocked_works_no_more_until_they_may_again(campaign, admin):
    for _ in range(3):
        make_item(campaign)
    respondent = joined(campaign)
    met = judged(campaign, respondent).item_id
    held = given(campaign, respondent).item_id
    block(respondent)
    with pytest.raises(NotNow):
        given(campaign, respondent)
    assert admin.post(address("campaign-person-unblock", respondent), {}).status_code == 422
    answer = admin.post(address("campaign-person-unblock", respondent), {"reason": "A mistake of ours."}, follow=True)
    assert "May work again" in answer.content.decode()
    # What they held is for others; the third item is theirs, and what they said of the first counts again.
    assert judged(campaign, respondent).item_id not in {met, held}
    assert Judgment.objects.filter(kind="answer", superseded_by__isnull=True).count() == 2


def test_a_block_that_is_undone_puts_back_what_nobody_else_was_asked_for(campaign, admin):
    items = [make_item(campaign) for _ in range(3)]
    respondent, other = joined(campaign), joined(campaign)
    said = {judged(campaign, respondent).item_id for _ in items}
    block(respondent)
    asked_anew = judged(campaign, other).item_id

    answer = admin.post(address("campaign-person-unblock", respondent), {"reason": "Ours."}, follow=True)

    page = answer.content.decode()
    assert "They can work again. 2 judgments count again. 1 stays out: somebody else was asked in its place." in page
    number_log()
    standing = standing_judgments(campaign)
    row = listed_people([respondent])[0]
    # What counts again is out no more, and there is something to measure.
    assert (row.judgments, row.taken_out) == (2, 1)
    assert "Nothing of theirs stands" not in page
    assert sorted(standing.values_list("item", "respondent")) == sorted(
        (item, other.pk if item == asked_anew else respondent.pk) for item in said
    )
    # Every item has exactly the judgment that was wanted of it, and nobody is asked for more.
    assert not Slot.objects.filter(state__in=["open", "claimed"]).exists()
    assert Slot.objects.filter(state="done").count() == len(items)


def test_a_blocked_person_reads_in_their_history_what_was_taken_out(campaign):
    make_item(campaign, prompt="Why is it blue?")
    respondent = joined(campaign)
    judged(campaign, respondent)
    block(respondent)
    own = Client()
    own.force_login(respondent.person.user)
    page = own.get(reverse("work-history", args=["trial"])).content.decode()
    assert ("Why is it blue?" in page, "Taken out" in page, "No answers yet" in page) == (True, True, False)


def test_a_second_block_and_return_works_as_the_first(campaign):
    make_item(campaign)
    respondent = joined(campaign)
    judged(campaign, respondent)
    for _ in range(2):
        block(respondent)
        done = unblock_respondent(respondent_id=respondent.pk, reason="ours", actor=None, now=timezone.now())
        assert (done.put_back, done.stay_out) == (1, 0)
    assert sorted(Slot.objects.values_list("state", flat=True)) == ["cancelled", "cancelled", "done"]


def test_an_answer_that_comes_after_the_block_is_refused(campaign, monkeypatch):
    make_item(campaign)
    respondent = joined(campaign)
    open_one = given(campaign, respondent)
    monkeypatch.setattr("tests.annotation.people.working.given", lambda *_: open_one)
    block(respondent)
    with pytest.raises(NotActive):
        judged(campaign, respondent)
    assert not Judgment.objects.exists()


def fail_in_the_middle(monkeypatch):
    """The second judgment cannot be taken out."""
    take_out, seen = module.take_out, []

    def take_out_one(judgment, now):
        seen.append(judgment)
        if len(seen) == 2:
            raise Stop
        return take_out(judgment, now)

    monkeypatch.setattr(module, "take_out", take_out_one)


def half_done(campaign, monkeypatch):
    for _ in range(3):
        make_item(campaign)
    respondent = joined(campaign)
    judged(campaign, respondent)
    judged(campaign, respondent)
    given(campaign, respondent)
    fail_in_the_middle(monkeypatch)
    before = everything()
    with pytest.raises(Stop):
        block(respondent)
    return before


@TRANSACTIONAL
def test_a_failure_in_the_middle_leaves_everything_as_it_was(campaign, monkeypatch):
    assert half_done(campaign, monkeypatch) == everything()


@TRANSACTIONAL
def test_control_without_the_transaction_a_failure_leaves_half(campaign, monkeypatch):
    monkeypatch.setattr(module, "transaction", SimpleNamespace(atomic=nullcontext))
    monkeypatch.setattr(QuerySet, "select_for_update", lambda found, **options: found)
    before, after = half_done(campaign, monkeypatch), everything()
    assert before != after
    assert [kind for _pk, kind in after["judgments"]].count("retraction") == 1
    assert "blocked" in dict(after["states"]).values()


@TRANSACTIONAL
def test_two_are_blocked_at_once_who_judged_the_same_items_in_opposite_orders(campaign, monkeypatch):
    first, second = joined(campaign), joined(campaign)
    judged_first = make_item(campaign)
    judged(campaign, first)
    judged_second = make_item(campaign)
    judged(campaign, second)
    for item, respondent in ((judged_first, second), (judged_second, first)):
        Slot.objects.create(item=item, campaign=campaign, number=2)
        judged(campaign, respondent)
    supersede = take_out_judgment.supersede

    def slow_supersede(judgment, **changes):
        retraction = supersede(judgment, **changes)
        time.sleep(0.2)
        return retraction

    monkeypatch.setattr(take_out_judgment, "supersede", slow_supersede)
    outcomes = run_together(*[partial(block, respondent) for respondent in (first, second)])
    assert outcomes == [2, 2]
    assert Slot.objects.filter(state="open").count() == 4
    assert unblock_respondent(respondent_id=first.pk, reason="x", actor=None, now=timezone.now()).put_back == 2
