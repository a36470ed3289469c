"""What migrations make of what is there: each goes back and forth over rows that it has to change."""

import uuid
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.models import Person
from annotation.models import Assignment, Campaign, Invitation, Item, Respondent, Slot, WorkTally
from tests.annotation.people.working import joined
from tests.annotation.watching.planted import EXPECTED
from tests.factories import make_campaign, make_item

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SHARES = ("pk", "gold_share", "attention_share")


@contextmanager
def gone_back_to(name):
    """The tables as they were after the migration of that name, and after this as they are."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    try:
        MigrationExecutor(connection).migrate([("annotation", name)])
        yield
    finally:
        MigrationExecutor(connection).migrate(newest)
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


def rows(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def shared(gold_share, attention_share, **purposes):
    """A campaign with these shares, and so many items of each purpose."""
    campaign = make_campaign()
    for purpose, count in purposes.items():
        for _ in range(count):
            make_item(campaign, purpose=purpose, expected=EXPECTED, slots=0)
    Campaign.objects.filter(pk=campaign.pk).update(gold_share=gold_share, attention_share=attention_share)
    return campaign.pk


def test_one_share_of_checks_is_divided_as_the_items_are_and_joined_again():
    both = shared(0.2, 0.0, gold=3, attention=1)
    only_gold = shared(0.1, 0.0, gold=2)
    too_many = shared(0.4, 0.3, gold=1, attention=1)
    none = shared(0.0, 0.0, attention=2)
    # What is out counts for nothing.
    Item.objects.filter(
        pk=make_item(Campaign.objects.get(pk=only_gold), purpose="attention", expected=EXPECTED).pk
    ).update(state="void")
    with gone_back_to("0012_tally_slots"):
        before = dict(rows("SELECT id, gold_share FROM annotation_campaign"))
    assert before == {both: 0.2, only_gold: 0.1, too_many: 0.5, none: 0.0}
    after = {pk: (gold, attention) for pk, gold, attention in Campaign.objects.values_list(*SHARES)}
    assert after[both] == pytest.approx((0.15, 0.05))
    assert (after[only_gold], after[too_many], after[none]) == ((0.1, 0.0), (0.25, 0.25), (0.0, 0.0))


def test_groups_that_differ_in_capitals_are_one_and_the_larger_quota_holds():
    campaign = make_campaign()
    mixed, small = joined(campaign), joined(campaign)
    Respondent.objects.filter(pk=mixed.pk).update(groups=["Nurses", "law", "nurses", "Ärzte"])
    Respondent.objects.filter(pk=small.pk).update(groups=["nurses"])
    Invitation.objects.update(groups=["NURSES", "Nurses"])
    Campaign.objects.update(group_quotas={"Nurses": 3, "nurses": 5, "Law": 2})
    untouched = make_campaign()
    Campaign.objects.filter(pk=untouched.pk).update(group_quotas={"law": 1})
    with gone_back_to("0013_checks_and_orders"):
        pass
    assert sorted(Respondent.objects.get(pk=mixed.pk).groups) == ["law", "nurses", "ärzte"]
    assert Respondent.objects.get(pk=small.pk).groups == ["nurses"]
    assert {tuple(each.groups) for each in Invitation.objects.all()} == {("nurses",)}
    quotas = dict(Campaign.objects.values_list("pk", "group_quotas"))
    assert quotas == {campaign.pk: {"law": 2, "nurses": 5}, untouched.pk: {"law": 1}}
    # The application may still read and write them, and nobody else was lost.
    assert Person.objects.count() == 2


def test_work_is_tallied_as_it_is_whenever_the_tally_comes():
    campaign = make_campaign()
    for purpose in ("work", "work", "work", "gold"):
        make_item(campaign, purpose=purpose, expected=EXPECTED if purpose == "gold" else None, slots=2)
    busy, slow, _idle = (joined(campaign) for _ in range(3))
    held = [assign(slot, busy, "open") for slot in Slot.objects.filter(campaign=campaign, number=1).order_by("pk")]
    slots = Slot.objects.filter(item__purpose="work", number=2)
    for slot, state in zip(slots, ("expired", "skipped", "submitted"), strict=True):
        assign(slot, slow, state)
    tallies = WorkTally.objects.order_by("respondent").values_list("respondent", "given")
    assert list(tallies) == [(busy.pk, 3), (slow.pk, 1)]
    for left in (2, 1):
        with gone_back_to("0015_captions"):
            Assignment.objects.filter(pk=held[left]).update(state="expired")
        assert list(tallies.all()) == [(busy.pk, left), (slow.pk, 1)]
    Assignment.objects.filter(pk=held[0]).update(state="expired")
    assert list(tallies.all()) == [(busy.pk, 0), (slow.pk, 1)]


def assign(slot, respondent, state):
    values = {"lease_token": uuid.uuid4(), "lease_expires_at": timezone.now(), "state": state}
    return Assignment.objects.create(slot=slot, item=slot.item, respondent=respondent, **values).pk


def test_judgments_that_are_there_already_are_counted_as_done():
    campaign = make_campaign()
    slots = [make_item(campaign).slots.get().pk for _ in range(4)]
    Slot.objects.filter(pk__in=slots[:2]).update(state="done")
    Slot.objects.filter(pk=slots[1]).update(for_one=True)
    with gone_back_to("0016_tally_work"):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE annotation_slot SET state = 'done' WHERE id = %s", [slots[2]])
        assert rows("SELECT sum(wanted), sum(taken) FROM annotation_slottally") == [(3, 3)]
    assert rows("SELECT sum(wanted), sum(taken), sum(done) FROM annotation_slottally") == [(3, 3, 2)]
    Slot.objects.filter(pk=slots[3]).update(state="done")
    assert rows("SELECT sum(wanted), sum(taken), sum(done) FROM annotation_slottally") == [(3, 4, 3)]
