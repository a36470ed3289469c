"""What progress and costs count: work that stands, and what the ledger says."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import CampaignState, EntryKind, ItemPurpose
from annotation.models import Batch, Campaign, Item, Judgment, LedgerEntry
from annotation.queries import campaigns as overview
from annotation.queries import quality
from annotation.queries.batches import listed_batches
from annotation.queries.pay import costs_by_kind, pay_by_person
from annotation.queries.people import campaign_people, listed_people
from annotation.queries.quality import progress_of
from annotation.use_cases.accept_batch import accept_batch
from annotation.use_cases.accrue_fees import accrue_fees
from annotation.use_cases.block_respondent import block_respondent
from annotation.use_cases.claim_slot import take_item
from annotation.use_cases.make_batch import make_batch
from annotation.use_cases.record_entry import record_entry
from annotation.use_cases.reverse_entry import reverse_entry
from annotation.web.watching_tables import costs_of
from tests.annotation.people.working import joined, judged
from tests.annotation.review.reviewing import approve, rejected, reviewed_campaign, reviewer
from tests.factories import make_campaign, make_item, make_user

pytestmark = pytest.mark.django_db
PREFERENCE = {"name": "preference", "type": "preference", "settings": {"strength": "off"}}
ANSWER = [{"question": "preference", "values": ["a"]}]


def now():
    return timezone.now()


def progress(campaign):
    return progress_of(Campaign.objects.get(pk=campaign.pk), now())


def costs(campaign):
    campaign = Campaign.objects.get(pk=campaign.pk)
    return costs_of(campaign, progress_of(campaign, now()))


def paid_campaign(**fields) -> Campaign:
    campaign = reviewed_campaign()
    Campaign.objects.update(pay_per_judgment=Decimal("0.25"), **fields)
    campaign.refresh_from_db()
    return campaign


def checked_campaign(**fields) -> Campaign:
    """Two items of work, wanted twice each, and three check items."""
    campaign = make_campaign(questions=[PREFERENCE], **fields)
    for _ in range(2):
        make_item(campaign, slots=2)
    for _ in range(3):
        make_item(campaign, slots=0, purpose=ItemPurpose.TRAINING, expected=ANSWER)
    return campaign


def test_checks_move_neither_what_is_done_nor_what_is_wanted():
    campaign = checked_campaign(slug="trial")
    respondent = joined(campaign)
    for _ in range(4):
        judged(campaign, respondent)
    found = progress(campaign)
    assert Judgment.objects.filter(item__purpose=ItemPurpose.TRAINING).count() == 3
    assert (found.done, found.wanted, found.open, found.claimed) == (1, 4, 3, 0)
    assert (found.answers, found.work, found.taken) == (4, 1, 4)
    assert overview.progress_of(campaign) == overview.Progress(done=1, wanted=4)
    [listed] = overview.with_progress([campaign])
    assert listed.progress == overview.Progress(done=1, wanted=4)
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    for name in ("campaign", "campaigns", "campaign-watch"):
        shown = client.get(reverse(name, args=[] if name == "campaigns" else ["trial"])).content.decode()
        assert "of 4" in shown
        assert "of 7" not in shown


def test_a_repeat_is_nobodys_target():
    campaign = make_campaign(questions=[PREFERENCE])
    item = make_item(campaign, slots=2)
    respondent = joined(campaign)
    judged(campaign, respondent)
    again = Item.objects.create(campaign=campaign, source=item.source, prompt=item.prompt, repeat_of=item, state="open")
    assert take_item(campaign=campaign, respondent=respondent, item_id=again.pk, now=now()) is not None
    found = progress(campaign)
    assert (found.done, found.claimed, found.wanted, found.taken) == (1, 0, 2, 2)


def test_what_a_blocked_person_gave_is_counted_no_more():
    campaign = reviewed_campaign()
    for _ in range(3):
        make_item(campaign, slots=2)
    honest, other = joined(campaign), joined(campaign)
    for respondent in (honest, other):
        for _ in range(3):
            judged(campaign, respondent)
    before = progress(campaign)
    assert (before.done, before.people, before.answers, before.last_day) == (6, 2, 6, 6)
    block_respondent(respondent_id=other.pk, reason="copied", actor=None, now=now())
    after = progress(campaign)
    assert (after.done, after.people, after.answers, after.work, after.last_day) == (3, 1, 3, 3, 3)
    assert sum(hour.work for hour in after.hours) == 3
    assert (after.open, after.wanted) == (3, 6)


def owed(judgment, kind, amount):
    return record_entry(
        respondent=judgment.respondent,
        kind=kind,
        amount=Decimal(amount),
        currency="USD",
        judgment=judgment if kind == EntryKind.FEE else None,
        now=now(),
    )


def test_costs_are_those_of_the_ledger_and_not_pay_times_answers():
    campaign = paid_campaign(budget_money=Decimal(10))
    make_item(campaign, slots=5)
    judgments = [judged(campaign, joined(campaign), answer=side) for side in "abab"]
    assert costs(campaign)["owed"] == Decimal("1.00")  # nobody has written a fee yet
    accrue_fees(campaign_id=campaign.pk, now=now())
    # Pay rises: what was owed stays what it was.
    Campaign.objects.update(pay_per_judgment=Decimal("0.50"))
    owed(judgments[0], EntryKind.BONUS, "2.0000")
    mistake = owed(judgments[1], EntryKind.BONUS, "3.0000")
    reverse_entry(entry_id=mistake.pk, reason="meant for another", actor=None, now=now())
    owed(judgments[2], EntryKind.SCREEN_OUT, "1.2500")
    rejected(judgments[3])
    found = costs(campaign)
    sums = {name: found[name] for name in ("owed", "fees", "withdrawn", "bonuses", "screen_outs", "draws")}
    assert sums == {
        "owed": Decimal("4.00"),
        "fees": Decimal("1.00"),
        "withdrawn": Decimal("-0.25"),
        "bonuses": Decimal("2.00"),
        "screen_outs": Decimal("1.25"),
        "draws": None,
    }
    assert found["owed"] == sum(LedgerEntry.objects.values_list("amount", flat=True))
    assert found["left"] == Decimal("6.00")
    # One place of five was never taken, and one is asked anew.
    assert found["to_come"] == Decimal("1.00")


def test_an_accepted_judgment_costs_what_its_batch_says():
    campaign = paid_campaign()
    make_item(campaign, slots=6)
    judgments = [judged(campaign, joined(campaign), answer="a") for _ in range(4)]
    assert costs(campaign)["per_accepted"] is None
    approve(judgments[0], reviewer())
    assert costs(campaign)["per_accepted"] == Decimal("0.25")  # and not the fees of all four
    rejected(judgments[1])
    batch = make_batch(campaign_id=campaign.pk, actor=reviewer(), now=now())
    accept_batch(batch_id=batch.pk, actor=reviewer(), now=now())
    [listed] = listed_batches(campaign, Batch.objects.all())
    assert (listed.judgments, listed.accepted, listed.per_accepted) == (2, 2, Decimal("0.25"))
    found = costs(campaign)
    assert (progress(campaign).accepted, found["per_accepted"]) == (3, listed.per_accepted)


def test_a_closed_campaign_has_no_forecast_and_nothing_to_come():
    campaign = paid_campaign()
    make_item(campaign, slots=2)
    judged(campaign, joined(campaign))
    assert costs(campaign)["to_come"] == Decimal("0.25")
    Campaign.objects.update(state=CampaignState.CLOSED)
    assert (progress(campaign).forecast, costs(campaign)["to_come"]) == (None, None)
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    shown = client.get(reverse("campaign-watch", args=["trial"])).content.decode()
    assert "The campaign is closed: no more judgments come." in shown
    assert ("Last judgment expected" in shown, "Still to come" in shown) == (False, False)


@pytest.fixture
def long_log(monkeypatch):
    """Whatever there is counts as long: sums are kept."""
    monkeypatch.setattr(quality, "AT_ONCE", 0)


def test_sums_over_a_long_log_are_kept_and_know_what_was_entered_and_decided_since(long_log):
    campaign = paid_campaign()
    make_item(campaign, slots=4)
    judgments = [judged(campaign, joined(campaign), answer="a") for _ in range(3)]
    accrue_fees(campaign_id=campaign.pk, now=now())
    batch = make_batch(campaign_id=campaign.pk, actor=reviewer(), now=now())

    def asked():
        with CaptureQueriesContext(connection) as queries:
            pay = (pay_by_person(campaign), costs_by_kind(campaign))
            people = listed_people(list(campaign_people(campaign)))
            found = (pay, people, listed_batches(campaign, Batch.objects.all()))
        summed = [each for each in queries if "sum(" in each["sql"] or "percentile" in each["sql"]]
        return found, len(summed)

    first, sums = asked()
    again, kept = asked()
    assert (sums > 3, kept) == (True, 0)
    assert again == first
    owed(judgments[0], EntryKind.BONUS, "2.0000")
    accept_batch(batch_id=batch.pk, actor=reviewer(), now=now())
    block_respondent(respondent_id=judgments[1].respondent_id, reason="copied", actor=None, now=now())
    (pay, people, [listed]), _sums = asked()
    assert sum(each.owed for each in pay[0]) == Decimal("2.75")
    assert {each.kind: each.amount for each in pay[1]} == {"fee": Decimal("0.75"), "bonus": Decimal(2)}
    assert (listed.accepted, listed.per_accepted) == (3, Decimal("0.25"))
    assert [each.respondent.state for each in people].count("blocked") == 1
