"""A quota is met exactly, however many claim at once."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Assignment, ImpressionEvent, Slot
from annotation.use_cases import claim_slot as module
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.claim_slot import CampaignNotRunning, claim_slot
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.skip_assignment import skip_assignment
from tests.factories import claim_and_show, make_campaign, make_item, make_respondent
from tests.foundation.threads import run_together

# What people write first: look whether there is room, then take it.
LOOK_THEN_TAKE = """
WITH chosen AS (
    SELECT s.id, s.item_id FROM annotation_slot s, pg_sleep(0.3)
    WHERE s.state = 'open' AND %(campaign)s > 0 ORDER BY s.id LIMIT 1
), claimed AS (
    UPDATE annotation_slot s SET state = 'claimed' FROM chosen c WHERE s.id = c.id RETURNING s.id, s.item_id
)
INSERT INTO annotation_assignment (slot_id, item_id, respondent_id, state, lease_token, lease_expires_at)
SELECT id, item_id, %(respondent)s, 'open', %(token)s, now() + make_interval(secs => %(lease)s) FROM claimed
RETURNING id, slot_id, item_id, lease_expires_at, claimed_at, 2, 0
"""


def claim(campaign, respondent):
    found = claim_slot(campaign=campaign, respondent=respondent, now=timezone.now())
    return found and found.assignment


@pytest.mark.django_db
def test_a_respondent_meets_an_item_once():
    campaign = make_campaign()
    make_item(campaign, slots=2)
    respondent = make_respondent(campaign)
    assert claim(campaign, respondent) is not None
    assert claim(campaign, respondent) is None


@pytest.mark.django_db
def test_a_campaign_that_is_not_running_gives_nothing_out():
    campaign = make_campaign()
    campaign = change_campaign_state(campaign_id=campaign.pk, to="paused", actor=None, reason="", now=timezone.now())
    with pytest.raises(CampaignNotRunning):
        claim(campaign, make_respondent(campaign))


@pytest.mark.django_db
def test_a_claim_by_itself_is_one_statement():
    """With all that goes with it, three: tests/annotation/work/test_selection.py."""
    campaign = make_campaign()
    make_item(campaign)
    respondent = make_respondent(campaign)
    with CaptureQueriesContext(connection) as said:
        assert claim(campaign, respondent) is not None
    assert len([each for each in said if "SAVEPOINT" not in each["sql"]]) == 1


@pytest.mark.django_db
def test_an_expired_claim_is_open_again_and_its_impression_says_so():
    campaign = make_campaign()
    make_item(campaign)
    first, second = make_respondent(campaign), make_respondent(campaign)
    assignment, impression = claim_and_show(campaign, first)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE annotation_assignment SET lease_expires_at = now() - interval '1 second'")
    assert expire_assignments(now=timezone.now()) == 1
    assert claim(campaign, second).item_id == assignment.item_id
    assert ImpressionEvent.objects.get(impression=impression).kind == "expired"


@pytest.mark.django_db
def test_control_without_the_sweep_what_expired_stays_taken():
    campaign = make_campaign()
    make_item(campaign)
    _assignment, _impression = claim_and_show(campaign, make_respondent(campaign))
    Assignment.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert claim(campaign, make_respondent(campaign)) is None


@pytest.mark.django_db
def test_a_skipped_item_goes_to_somebody_else():
    campaign = make_campaign()
    make_item(campaign)
    first, second = make_respondent(campaign), make_respondent(campaign)
    assignment, impression = claim_and_show(campaign, first)
    skip_assignment(
        assignment_id=assignment.pk,
        lease_token=assignment.lease_token,
        respondent=first,
        reason="not my language",
        now=timezone.now(),
    )
    assert ImpressionEvent.objects.get(impression=impression).kind == "skipped"
    assert claim(campaign, first) is None
    assert claim(campaign, second).item_id == assignment.item_id


@pytest.mark.django_db(transaction=True)
def test_twelve_claims_at_once_on_five_slots_take_exactly_five():
    campaign = make_campaign()
    make_item(campaign, slots=5)
    racers = [make_respondent(campaign) for _ in range(12)]
    outcomes = run_together(*[partial(claim, campaign, racer) for racer in racers])
    assert sum(isinstance(each, Assignment) for each in outcomes) == 5, outcomes
    assert Slot.objects.filter(state="claimed").count() == 5


@pytest.mark.django_db(transaction=True)
def test_control_looking_first_and_taking_then_gives_one_slot_to_many(monkeypatch):
    """With the lock on the row and the one-holder constraint removed from outside, one slot is held by several."""
    monkeypatch.setattr(module, "CLAIM_ANY", LOOK_THEN_TAKE)
    campaign = make_campaign()
    make_item(campaign, slots=1)
    racers = [make_respondent(campaign) for _ in range(6)]
    run_as_owner("DROP INDEX one_holder_per_slot")
    try:
        run_together(*[partial(claim, campaign, racer) for racer in racers])
        holders = Assignment.objects.filter(state="open").count()
    finally:
        Assignment.objects.all().delete()
        run_as_owner(
            "CREATE UNIQUE INDEX one_holder_per_slot ON annotation_assignment (slot_id)"
            " WHERE state IN ('open', 'submitted')"
        )
    assert holders > 1


def run_as_owner(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(statement)
