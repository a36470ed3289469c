"""What one person and a group may have: counted by tallies that say what counting the assignments would say."""

import uuid
from datetime import timedelta
from threading import Event

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Assignment, Campaign, Item, Respondent, Slot, WorkTally
from annotation.queries.work import position_of
from annotation.use_cases.agree_to_texts import read_guidelines
from annotation.use_cases.block_respondent import block_respondent, unblock_respondent
from annotation.use_cases.change_groups import change_groups
from annotation.use_cases.decline_content import decline_content
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.next_assignment import QuotaReached, next_assignment
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.refresh_selection import refresh_selection
from annotation.use_cases.skip_assignment import skip_assignment
from annotation.use_cases.undo_judgment import undo_judgment
from annotation.use_cases.void_item import void_item
from annotation.use_cases.withdraw_consent import withdraw_consent
from tests.annotation.people.working import given, joined, judged
from tests.annotation.watching.planted import EXPECTED
from tests.annotation.work.test_races import run_as_owner
from tests.factories import PREFERENCE, make_campaign, make_item, make_respondent
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db

NOW = timezone.now


def quotas(items: int = 6, *, slots: int = 1, **limits) -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE])
    for _ in range(items):
        make_item(campaign, slots=slots)
    Campaign.objects.filter(pk=campaign.pk).update(**limits)
    return Campaign.objects.select_related("instrument").get(pk=campaign.pk)


def member(campaign: Campaign, *groups: str) -> Respondent:
    respondent = joined(campaign)
    return change_groups(respondent_id=respondent.pk, groups=groups, actor=None, now=NOW())


def tallies(campaign: Campaign) -> dict[int, int]:
    sums = WorkTally.objects.filter(respondent__campaign=campaign).values("respondent").annotate(sum=Sum("given"))
    return {row["respondent"]: row["sum"] for row in sums if row["sum"]}


def counted(campaign: Campaign) -> dict[int, int]:
    """The same as the assignments themselves say it."""
    held = Assignment.objects.filter(item__campaign=campaign, state__in=["open", "submitted"])
    work = list(held.filter(item__purpose="work", item__repeat_of=None).values_list("respondent", flat=True))
    return {each: work.count(each) for each in set(work)}


def test_a_group_has_its_quota_together_and_others_go_on():
    campaign = quotas(group_quotas={"nurses": 3})
    nurses, other = [member(campaign, "nurses"), member(campaign, "nurses", "night")], member(campaign, "night")
    judged(campaign, nurses[0])
    judged(campaign, nurses[1])
    judged(campaign, nurses[0])
    for each in nurses:
        with pytest.raises(QuotaReached):
            given(campaign, each)
    judged(campaign, other)
    assert tallies(campaign) == counted(campaign) == {nurses[0].pk: 2, nurses[1].pk: 1, other.pk: 1}


def test_of_two_groups_of_one_person_the_one_that_is_full_holds():
    campaign = quotas(group_quotas={"nurses": 5, "night": 1})
    both, day = member(campaign, "night", "nurses"), member(campaign, "nurses")
    judged(campaign, both)
    assert position_of(both).of_groups == {"night": 1, "nurses": 1}
    with pytest.raises(QuotaReached):
        given(campaign, both)
    judged(campaign, day)


def test_what_somebody_judged_counts_for_the_groups_they_are_in_now():
    campaign = quotas(group_quotas={"nurses": 2, "law": 1})
    moved, nurse = member(campaign, "nurses"), member(campaign, "nurses")
    judged(campaign, moved)
    judged(campaign, moved)
    with pytest.raises(QuotaReached):
        given(campaign, nurse)
    moved = change_groups(respondent_id=moved.pk, groups=["law"], actor=None, now=NOW())
    given(campaign, nurse)
    with pytest.raises(QuotaReached):
        given(campaign, moved)


def test_training_and_checks_use_up_nobodys_quota():
    campaign = quotas(items=3, group_quotas={"nurses": 2}, quota_per_annotator=2, gold_share=0.5)
    for purpose in ("training", "training", "training", "gold"):
        make_item(campaign, purpose=purpose, expected=EXPECTED, slots=0)
    nurse = member(campaign, "nurses")
    for _ in range(3):
        assert judged(campaign, nurse).item.purpose == "training"
    seen = [judged(campaign, nurse).item.purpose for _ in range(2)]
    while seen.count("work") < 2:
        seen.append(judged(campaign, nurse).item.purpose)
    with pytest.raises(QuotaReached):
        given(campaign, nurse)
    assert tallies(campaign) == counted(campaign) == {nurse.pk: 2}


def test_a_skip_leaves_room_in_the_group_again():
    campaign = quotas(group_quotas={"nurses": 1})
    first, second = member(campaign, "nurses"), member(campaign, "nurses")
    held = given(campaign, first)
    with pytest.raises(QuotaReached):
        given(campaign, second)
    skip(held, first)
    assert given(campaign, second)


def skip(held: Assignment, respondent: Respondent) -> None:
    skip_assignment(assignment_id=held.pk, lease_token=held.lease_token, respondent=respondent, reason="", now=NOW())


def run_out(held: Assignment, respondent: Respondent) -> None:
    Assignment.objects.filter(pk=held.pk).update(lease_expires_at=NOW() - timedelta(seconds=1))
    assert expire_assignments(now=NOW()) == 1


def decline(held: Assignment, respondent: Respondent) -> None:
    Campaign.objects.filter(pk=respondent.campaign_id).update(warned_content=["blood"])
    Item.objects.filter(pk=held.item_id).update(warnings=["blood"])
    decline_content(respondent_id=respondent.pk, declined=["blood"], now=NOW())


def read(held: Assignment, respondent: Respondent) -> None:
    newer = publish_guidelines(campaign_id=respondent.campaign_id, text="Read this.", actor=None, now=NOW())
    read_guidelines(respondent_id=respondent.pk, guidelines_id=newer.pk, now=NOW())


def block(held: Assignment, respondent: Respondent) -> None:
    assert block_respondent(respondent_id=respondent.pk, reason="spam", actor=None, now=NOW()) == 1


def block_wrongly(held: Assignment, respondent: Respondent) -> None:
    block(held, respondent)
    assert unblock_respondent(respondent_id=respondent.pk, reason="was none", actor=None, now=NOW()).put_back == 1


def withdraw(held: Assignment, respondent: Respondent) -> None:
    assert withdraw_consent(respondent_id=respondent.pk, actor=None, now=NOW(), on_request=True).judgments == 1


def undo(held: Assignment, respondent: Respondent) -> None:
    undo_judgment(judgment_id=respondent.judgments.get().pk, respondent=respondent, now=NOW())


def undo_and_void(held: Assignment, respondent: Respondent) -> None:
    undo(held, respondent)
    void_item(item_id=respondent.judgments.order_by("pk")[0].item_id, actor=None, reason="broken", now=NOW())


def void(held: Assignment, respondent: Respondent) -> None:
    void_item(item_id=held.item_id, actor=None, reason="broken", now=NOW())


def void_what_was_judged(held: Assignment, respondent: Respondent) -> None:
    void_item(item_id=respondent.judgments.get().item_id, actor=None, reason="broken", now=NOW())


EVENTS = {
    skip: 1,
    run_out: 1,
    decline: 1,
    read: 1,
    block: 1,
    block_wrongly: 1,
    withdraw: 1,
    undo: 2,
    undo_and_void: 1,
    void: 1,
    void_what_was_judged: 2,
}


@pytest.mark.parametrize(("happens", "left"), EVENTS.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_tallies_say_what_counting_says_whatever_becomes_of_assignments(happens, left):
    campaign = quotas(3, slots=2, group_quotas={"nurses": 9})
    nurse, other = member(campaign, "nurses"), member(campaign, "nurses")
    judged(campaign, other)
    judged(campaign, nurse)
    held = given(campaign, nurse)
    assert tallies(campaign) == {nurse.pk: 2, other.pk: 1}
    happens(held, nurse)
    assert tallies(campaign) == counted(campaign) == {nurse.pk: left, other.pk: 1}
    assert position_of(other).of_groups == {"nurses": left + 1}


def test_many_assignments_at_once_are_tallied_for_each_respondent():
    campaign = quotas(3, slots=2)
    people = [make_respondent(campaign) for _ in range(2)]
    slots = list(Slot.objects.filter(item__campaign=campaign).order_by("item", "number"))
    values = {"state": "submitted", "lease_token": uuid.uuid4(), "lease_expires_at": NOW()}
    Assignment.objects.bulk_create(
        Assignment(slot=slot, item_id=slot.item_id, respondent=people[slot.number % 2], **values) for slot in slots
    )
    assert tallies(campaign) == counted(campaign) == {each.pk: 3 for each in people}
    Assignment.objects.filter(item=slots[0].item_id).delete()
    assert tallies(campaign) == counted(campaign) == {each.pk: 2 for each in people}


def test_a_claim_under_every_limit_takes_three_statements():
    """The locks are sent with the question where somebody stands. Savepoints are the test's own."""
    campaign = quotas(3, group_quotas={"nurses": 9}, budget_judgments=9, quota_per_annotator=9, share_per_annotator=0.9)
    given(campaign, member(campaign, "nurses"))  # the process has read the questions
    nurse = member(campaign, "nurses")
    # What is known is of this moment: a pair whose only slot was just taken would be asked for, and cost one more.
    refresh_selection(campaign=campaign, now=NOW())
    with CaptureQueriesContext(connection) as said:
        given(campaign, nurse)
    own = [each["sql"] for each in said if "SAVEPOINT" not in each["sql"]]
    assert len(own) == 3, [each[:160] for each in own]
    assert "pg_advisory_xact_lock" in own[0]


def end_beside_a_claim() -> int:
    """One person's assignment ends while another transaction claims for them; how many rows their tally has then."""
    campaign = quotas(2)
    nurse = member(campaign, "nurses")
    held = given(campaign, nurse)
    claimed, ended = Event(), Event()

    def claim() -> None:
        with transaction.atomic():
            assert next_assignment(campaign=campaign, respondent=nurse, now=NOW(), ahead=True)
            claimed.set()
            assert ended.wait(10)

    def end() -> None:
        assert claimed.wait(10)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '500ms'")
                Assignment.objects.filter(pk=held.pk).update(state="expired")
        finally:
            ended.set()

    failed = [each for each in run_together(claim, end) if each is not None]
    if failed:
        raise failed[0]
    assert tallies(campaign) == counted(campaign) == {nurse.pk: 1}
    return WorkTally.objects.filter(respondent=nurse).count()


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_tally_that_another_holds():
    assert end_beside_a_claim() == 2


@pytest.mark.django_db(transaction=True)
def test_control_a_tally_of_one_row_makes_them_wait():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('annotation_add_work'::regproc)")
        as_it_is = cursor.fetchone()[0]
    assert " SKIP LOCKED" in as_it_is
    run_as_owner(as_it_is.replace(" SKIP LOCKED", ""))
    try:
        with pytest.raises(OperationalError, match="lock timeout"):
            end_beside_a_claim()
    finally:
        run_as_owner(as_it_is)
