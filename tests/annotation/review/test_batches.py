"""Batches: what is gathered, accepting and returning, what it costs, and how long 100,000 take."""

import time
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from annotation.enums import EntryKind
from annotation.models import Assignment, Batch, Campaign, Item, Judgment, Review, ReviewDecision, Slot
from annotation.queries import standing_judgments
from annotation.queries.batches import checkup_of, listed_batches, sample_of
from annotation.queries.history import own_history
from annotation.use_cases.accept_batch import accept_batch
from annotation.use_cases.make_batch import NothingToReview, make_batch
from annotation.use_cases.record_entry import record_entry
from annotation.use_cases.return_batch import return_batch
from foundation.database import count_anew
from foundation.transitions import ForbiddenTransition
from tests.annotation.numbering import number_log
from tests.annotation.people.working import joined, judged
from tests.annotation.review.reviewing import approve, judged_by, one_judgment, reject, reviewed_campaign, reviewer
from tests.annotation.watching.planted import Planted, plant_items, plant_judgments, plant_people
from tests.factories import make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    campaign = reviewed_campaign()
    Campaign.objects.filter(pk=campaign.pk).update(pay_per_judgment=Decimal("0.25"))
    campaign.refresh_from_db()
    return campaign


def make(campaign, **which) -> Batch:
    return make_batch(campaign_id=campaign.pk, actor=reviewer(), now=timezone.now(), **which)


def accept(batch, by=None):
    return accept_batch(batch_id=batch.pk, actor=by or reviewer(), now=timezone.now())


def send_back(batch, by=None):
    return return_batch(batch_id=batch.pk, message="Read the guidelines.", actor=by or reviewer(), now=timezone.now())


def in_batch(batch):
    return list(Review.objects.filter(batch=batch).order_by("judgment").values_list("judgment", flat=True))


def states(batch):
    return dict(Review.objects.filter(batch=batch).values_list("judgment", "state"))


def standing(campaign):
    number_log()
    return set(standing_judgments(campaign).values_list("pk", flat=True))


def test_a_batch_holds_what_nobody_has_decided_about_once(campaign):
    judgments = [one_judgment(campaign) for _ in range(5)]
    approve(judgments[0], reviewer())
    reject(judgments[1], reviewer())
    first = make(campaign, most=2)
    second = make(campaign)
    assert (first.number, in_batch(first)) == (1, [judgments[2].pk, judgments[3].pk])
    assert (second.number, in_batch(second)) == (2, [judgments[4].pk])
    with pytest.raises(NothingToReview):
        make(campaign)
    assert Batch.objects.count() == 2


def test_a_batch_of_one_group(campaign):
    make_item(campaign, slots=2)
    nurse, other = joined(campaign, groups=["nurses"]), joined(campaign)
    theirs = judged(campaign, nurse)
    judged(campaign, other)
    assert in_batch(make(campaign, group="nurses")) == [theirs.pk]


def test_accepting_approves_what_waits_but_not_what_is_ones_own(campaign):
    judgments = [one_judgment(campaign) for _ in range(3)]
    batch = make(campaign)
    reject(judgments[0], reviewer())
    settled = accept(batch, by=judgments[1].respondent.person)
    assert settled.judgments == 1
    assert states(batch) == {judgments[0].pk: "contested", judgments[1].pk: "pending", judgments[2].pk: "approved"}
    [decision] = ReviewDecision.objects.filter(verdict="approve")
    assert (decision.person, decision.review.judgment_id) == (judgments[1].respondent.person, judgments[2].pk)
    with pytest.raises(ForbiddenTransition):
        send_back(batch)


def test_returning_takes_out_asks_anew_and_tells_why(campaign):
    item, judgments = judged_by(campaign, 3)
    accepted_before = one_judgment(campaign)
    approve(accepted_before, reviewer())
    batch = make(campaign)
    assert send_back(batch).judgments == 3
    assert set(states(batch).values()) == {"returned"}
    assert standing(campaign) == {accepted_before.pk}
    slots = sorted(Slot.objects.filter(item=item).values_list("number", "state"))
    assert slots == [(1, "cancelled"), (2, "cancelled"), (3, "cancelled"), (4, "open"), (5, "open"), (6, "open")]
    [shown] = own_history(judgments[0].respondent, "1", timezone.now())[1]
    assert (shown.state, shown.stands, shown.messages) == ("returned", False, ["Read the guidelines."])
    assert judged(campaign, joined(campaign)).item_id == item.pk


def test_what_an_accepted_judgment_costs(campaign):
    judgments = [one_judgment(campaign) for _ in range(4)]
    batch = make(campaign)
    for kind, amount in ((EntryKind.FEE, "0.2500"), (EntryKind.BONUS, "1.0000")):
        record_entry(
            respondent=judgments[0].respondent,
            kind=kind,
            amount=Decimal(amount),
            currency="USD",
            judgment=judgments[0],
            now=timezone.now(),
        )
    [before] = listed_batches(campaign, Batch.objects.filter(campaign=campaign))
    assert (before.judgments, before.waiting, before.accepted, before.per_accepted) == (4, 4, 0, None)
    accept(batch)
    [after] = listed_batches(campaign, Batch.objects.filter(campaign=campaign))
    assert (after.accepted, after.cost, after.per_accepted) == (4, Decimal("2.00"), Decimal("0.5"))


def test_nothing_is_paid_and_nothing_costs():
    campaign = reviewed_campaign()
    one_judgment(campaign)
    make(campaign)
    [listed] = listed_batches(campaign, Batch.objects.all())
    assert (listed.cost, listed.per_accepted) == (None, None)


def test_a_batch_shows_its_agreement_its_failed_checks_and_the_same_sample_twice(campaign):
    items = plant_items(campaign, 12)
    gold = plant_items(campaign, 4, purpose="gold", expected=[{"question": "preference", "values": ["a"]}])
    people = plant_people(campaign, [Planted(right=1.0), Planted(right=1.0), Planted(right=0.0)])
    plant_judgments(campaign, people, [*items, *gold])
    batch = make(campaign)
    checkup = checkup_of(batch)
    [agreement] = checkup.agreement
    assert (agreement.units, agreement.judgments, checkup.checks, len(checkup.failed)) == (12, 36, 12, 4)
    assert agreement.same == pytest.approx(1 / 3)
    assert set(checkup.by_person.values()) == {16}
    assert (checkup_of(batch), sample_of(batch), len(sample_of(batch))) == (checkup, sample_of(batch), 20)


@pytest.mark.slow
def test_very_many_judgments_are_gathered_and_settled_in_seconds():
    for settle, count, state in ((accept, 100_000, "approved"), (send_back, 20_000, "returned")):
        campaign = reviewed_campaign(slug=f"very-many-{state}")
        plant_many(campaign, count)
        began = time.perf_counter()
        batch = make(campaign)
        made = time.perf_counter() - began
        began = time.perf_counter()
        assert settle(batch).judgments == count
        took = time.perf_counter() - began
        print(f"{count:,} judgments: gathered in {made:.1f} s, {state} in {took:.1f} s")
        assert Review.objects.filter(batch=batch, state=state).count() == count
        out = count if state == "returned" else 0
        assert Judgment.objects.filter(campaign=campaign, kind="retraction").count() == out
        assert Slot.objects.filter(campaign=campaign, state="open").count() == out
        # "Seconds" on two cores that others use too.
        assert max(made, took) < 30


def plant_many(campaign, count):
    """Judgments of one item each, by a hundred people, written by the database itself."""
    [item] = plant_items(campaign, 1)
    people = plant_people(campaign, [Planted()] * 100)
    [judgment] = plant_judgments(campaign, {next(iter(people)): Planted()}, [item], numbered=False)
    approve(judgment, reviewer())
    values = {"from": judgment.pk, "count": count, "people": [each.pk for each in people]}
    with connection.cursor() as cursor:
        for statement in (ITEMS, SLOTS, ASSIGNMENTS, JUDGMENTS):
            cursor.execute(statement, values)
    count_anew(WRITTEN)


WRITTEN = (Item, Slot, Assignment, Judgment, Review)
ITEMS = """
INSERT INTO annotation_item (campaign_id, source_id, prompt_key, category, flags, language, state)
SELECT i.campaign_id, i.source_id, 'copy', '', '{}', '', 'frozen'
FROM annotation_judgment j JOIN annotation_item i ON i.id = j.item_id, generate_series(1, %(count)s)
WHERE j.id = %(from)s
"""
SLOTS = """
INSERT INTO annotation_slot (item_id, campaign_id, number, state)
SELECT i.id, i.campaign_id, 1, 'done' FROM annotation_judgment j JOIN annotation_item i USING (campaign_id)
WHERE j.id = %(from)s AND i.prompt_key = 'copy'
"""
ASSIGNMENTS = """
INSERT INTO annotation_assignment (slot_id, item_id, respondent_id, state, lease_token, lease_expires_at)
SELECT s.id, s.item_id, (%(people)s::bigint[])[1 + s.item_id %% 100], 'submitted', gen_random_uuid(), now()
FROM annotation_judgment j JOIN annotation_slot s USING (campaign_id) WHERE j.id = %(from)s
"""
JUDGMENTS = """
INSERT INTO annotation_judgment (
    kind, campaign_id, item_id, respondent_id, source_id, impression_id, assignment_id, instrument_id, "order",
    contestants, submitted_at, answers, preference, currency, amount_mode, incentive, context, device_class
)
SELECT 'answer', j.campaign_id, a.item_id, a.respondent_id, j.source_id, j.impression_id, a.id, j.instrument_id,
    j."order", j.contestants, now(), j.answers, j.preference, '', '', '', '', ''
FROM annotation_judgment j JOIN annotation_slot s USING (campaign_id) JOIN annotation_assignment a ON a.slot_id = s.id
WHERE j.id = %(from)s
"""
