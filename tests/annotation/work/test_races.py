"""Many at once: a quota is met exactly, a limit is not passed, and one person's two tabs hold what one may hold."""

import re
from collections import Counter
from functools import partial

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.use_cases.create_person import person_of_user
from annotation.models import Assignment, Campaign, Impression, Judgment, Respondent, Slot
from annotation.use_cases import claim_slot as claiming
from annotation.use_cases import next_assignment as module
from annotation.use_cases import submit_judgment as submitting
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from annotation.use_cases.next_assignment import BudgetSpent, Given, NothingLeft, QuotaReached, next_assignment
from annotation.use_cases.refresh_selection import refresh_selection
from tests.annotation.test_claim_slot import LOOK_THEN_TAKE
from tests.annotation.work.test_pages import fields
from tests.factories import PREFERENCE, make_campaign, make_contestant, make_item, make_respondent, make_user
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS, RACERS = 200, 50


def racers(campaign: Campaign, count: int) -> list[Client]:
    """Browsers of that many people who have joined."""
    _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
    clients = []
    for _ in range(count):
        user, client = make_user(), Client()
        join_by_invitation(token=token, person=person_of_user(user=user, now=timezone.now()), now=timezone.now())
        client.force_login(user)
        clients.append(client)
    return clients


def work_until_nothing_is_left(client: Client, campaign: Campaign) -> Counter:
    """Answers whatever comes; returns the statuses met."""
    statuses: Counter = Counter()
    while True:
        shown = client.get(f"/annotate/{campaign.slug}/item")
        statuses[shown.status_code] += 1
        page = shown.content.decode()
        if 'id="answer"' not in page:
            return statuses
        address = re.search(r'action="(/annotate/[^"]*/items/\d+)"', page)[1]
        statuses[client.post(address, fields(page) | {"preference": "a"}).status_code] += 1


def race(items: int, people: int) -> tuple[Counter, int]:
    """So many people for one slot of each item; the statuses they met, and the most judgments that an item has."""
    campaign = make_campaign(questions=[PREFERENCE])
    models = [make_contestant(campaign) for _ in range(4)]
    for number in range(items):
        pair = [models[number % 4], models[(number + 1 + number // 4 % 3) % 4]]
        make_item(campaign, slots=1, contestants=pair)
    refresh_selection(campaign=campaign, now=timezone.now())
    clients = racers(campaign, people)
    work = [partial(work_until_nothing_is_left, client, campaign) for client in clients]
    outcomes = run_together(*work, within=300)
    assert not [each for each in outcomes if not isinstance(each, Counter)]
    return sum(outcomes, Counter()), Counter(Judgment.objects.values_list("item", flat=True)).most_common(1)[0][1]


@pytest.mark.slow
def test_fifty_racers_for_the_last_slot_of_two_hundred_items_meet_the_quota_exactly():
    statuses, most = race(ITEMS, RACERS)
    print(f"racers {RACERS}, requests {statuses.total()}, judgments {Judgment.objects.count()}, quota {ITEMS}")
    assert not [status for status in statuses if status >= 500]
    assert Judgment.objects.count() == ITEMS
    assert most == 1
    assert not Slot.objects.exclude(state="done").exists()
    # Drawn by the policy while it knew of open slots, then whatever was left.
    assert Impression.objects.filter(pair_design="drawn").count() > ITEMS / 2


@pytest.mark.slow
def test_control_with_the_guards_removed_the_same_race_overshoots_the_quota(monkeypatch):
    """The claim that looks and then takes, no index that lets one hold a slot, and none who asks what became of it."""
    for statement in ("CLAIM_ANY", "CLAIM_PAIR"):
        monkeypatch.setattr(claiming, statement, LOOK_THEN_TAKE)
    monkeypatch.setattr(submitting, "refuse_unless_open", lambda *_: None)
    run_as_owner("DROP INDEX one_holder_per_slot")
    try:
        _statuses, most = race(items=3, people=8)
    finally:
        Assignment.objects.update(state="cancelled")
        run_as_owner(
            "CREATE UNIQUE INDEX one_holder_per_slot ON annotation_assignment (slot_id)"
            " WHERE state IN ('open', 'submitted')"
        )
    assert most > 1


LIMITS = [
    pytest.param({"budget_judgments": 4}, "BudgetSpent", id="budget"),
    pytest.param({"group_quotas": {"nurses": 4}}, "QuotaReached", id="group"),
]


def limited(limits: dict, items: int) -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    Campaign.objects.filter(pk=campaign.pk).update(**limits)
    for _ in range(items):
        make_item(campaign)
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize(("limits", "refusal"), LIMITS)
def test_a_budget_and_a_groups_quota_are_met_exactly_by_many_at_once(limits, refusal):
    campaign = limited(limits, items=10)
    assert sorted(claim_together(campaign, 8)) == sorted([refusal] * 4 + ["Given"] * 4)


@pytest.mark.parametrize(("limits", "refusal"), LIMITS)
def test_control_without_waiting_for_each_other_budget_and_quota_are_overshot(monkeypatch, limits, refusal):
    monkeypatch.setattr(module, "_lock_of", lambda campaign: None)
    campaign = limited(limits, items=40)
    given = 0
    for _ in range(20):
        given = max(given, claim_together(campaign, 8).count("Given"))
        if given > 4:
            break
        clear()
    assert given > 4


def clear() -> None:
    Assignment.objects.update(state="cancelled")
    Slot.objects.update(state="open")


def claim_together(campaign: Campaign, count: int) -> list[str]:
    """What came of that many people's claims at the same moment, by name."""
    people = [make_respondent(campaign) for _ in range(count)]
    Respondent.objects.filter(campaign=campaign).update(groups=["nurses"])
    outcomes = run_together(
        *[partial(next_assignment, campaign=campaign, respondent=each, now=timezone.now()) for each in people]
    )
    assert all(isinstance(each, Given | BudgetSpent | QuotaReached | NothingLeft) for each in outcomes), outcomes
    return [type(each).__name__ for each in outcomes]


def test_two_tabs_of_one_person_get_the_same_item():
    campaign = make_campaign(questions=[PREFERENCE])
    for _ in range(6):
        make_item(campaign)
    person = make_respondent(campaign)
    given = run_together(
        *[partial(next_assignment, campaign=campaign, respondent=person, now=timezone.now()) for _ in range(6)]
    )
    assert len({each.assignment.pk for each in given}) == 1
    assert Assignment.objects.count() == 1


def run_as_owner(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(statement)
