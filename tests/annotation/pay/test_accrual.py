"""What is owed without anybody's doing: a fee for each judgment, and the pay of a screen-out."""

from decimal import Decimal

import pytest
from django.utils import timezone

from annotation.enums import ItemPurpose
from annotation.models import Event, LedgerEntry, Respondent, Review
from annotation.policies.drafts import PAY, section_content, section_version
from annotation.use_cases.accrue_fees import accrue_fees, sweep_fees
from annotation.use_cases.block_respondent import block_respondent, unblock_respondent
from annotation.use_cases.correct_judgment import correct_judgment
from annotation.use_cases.save_campaign_settings import save_campaign_settings
from annotation.use_cases.withdraw_fee import restore_fee, withdraw_fee
from tests.annotation.people.working import joined, judged
from tests.factories import PREFERENCE, make_campaign, make_item, new_key

pytestmark = pytest.mark.django_db

RIGHT = [{"question": "preference", "values": ["a"]}]
PAID = {"pay_per_judgment": Decimal("0.1250"), "screen_out_pay": Decimal("1.50"), "expected_seconds": 30}


@pytest.fixture
def campaign():
    campaign = make_campaign(slug="trial", questions=[PREFERENCE])
    type(campaign).objects.filter(pk=campaign.pk).update(**PAID)
    campaign.refresh_from_db()
    return campaign


def accrue(campaign):
    return accrue_fees(campaign_id=campaign.pk, now=timezone.now())


def entries(**of):
    rows = LedgerEntry.objects.filter(**of).order_by("pk").values_list("kind", "amount", "currency")
    return [(kind, str(amount), currency) for kind, amount, currency in rows]


FEE = ("fee", "0.1250", "USD")


def test_every_first_judgment_owes_one_fee_whatever_its_item_is_for(campaign):
    make_item(campaign, slots=0, purpose=ItemPurpose.TRAINING, expected=RIGHT, explanation="It is.")
    make_item(campaign)
    respondent = joined(campaign)
    judged(campaign, respondent)
    work = judged(campaign, respondent)
    correct_judgment(
        judgment_id=work.pk,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": "b", "strength": None}},
        now=timezone.now(),
    )
    assert sweep_fees(now=timezone.now()) == 2
    assert entries(respondent=respondent) == [FEE, FEE]
    assert (sweep_fees(now=timezone.now()), accrue(campaign)) == (0, 0)
    event = Event.objects.get(verb="fees_written")
    assert event.data == {"entries": 2, "amount": "0.2500", "campaign": campaign.pk}


def test_a_block_withholds_nothing(campaign):
    make_item(campaign)
    respondent = joined(campaign)
    judged(campaign, respondent)
    block_respondent(respondent_id=respondent.pk, reason="clicks", actor=None, now=timezone.now())
    assert accrue(campaign) == 1
    assert entries() == [FEE]


@pytest.mark.parametrize(
    ("state", "owed"), [("rejected", 0), ("appealed", 0), ("contested", 1), ("returned", 1), ("approved", 1)]
)
def test_only_a_rejection_withholds_a_fee_that_is_not_written(campaign, state, owed):
    make_item(campaign)
    judgment = judged(campaign, joined(campaign))
    review = Review.objects.create(campaign=campaign, judgment=judgment, state=state)
    assert withdraw_fee(judgment=judgment, actor=None, now=timezone.now()) is None
    assert accrue(campaign) == owed
    Review.objects.filter(pk=review.pk).update(state="approved")
    assert restore_fee(judgment=judgment, actor=None, now=timezone.now()) is None
    accrue(campaign)
    assert entries() == [FEE]


def test_a_rejected_correction_takes_the_fee_of_what_it_corrects(campaign):
    make_item(campaign)
    respondent = joined(campaign)
    first = judged(campaign, respondent)
    accrue(campaign)
    correction = correct_judgment(
        judgment_id=first.pk,
        key=new_key(),
        respondent=respondent,
        answers={"preference": {"choice": "b", "strength": None}},
        now=timezone.now(),
    )
    assert withdraw_fee(judgment=correction, actor=None, now=timezone.now()).reversal_of.judgment == first


def test_what_was_judged_before_the_pay_changed_is_owed_at_the_pay_of_then(campaign):
    make_item(campaign)
    make_item(campaign)
    respondent = joined(campaign)
    judged(campaign, respondent)
    values = section_content(campaign, PAY) | {"pay_per_judgment": Decimal("0.2000"), "pay_currency": "EUR"}
    save_campaign_settings(
        campaign_id=campaign.pk,
        section=PAY,
        values=values,
        version=section_version(campaign, PAY),
        actor=None,
        now=timezone.now(),
    )
    judged(campaign, respondent)
    accrue(campaign)
    assert entries() == [FEE, ("fee", "0.2000", "EUR")]


def test_nothing_is_owed_where_nothing_is_paid_nor_to_who_is_no_person(campaign):
    type(campaign).objects.filter(pk=campaign.pk).update(pay_per_judgment=None)
    make_item(campaign)
    judged(campaign, joined(campaign))
    assert (accrue(campaign), sweep_fees(now=timezone.now())) == (0, 0)
    Respondent.objects.filter(campaign=campaign).update(kind="visitor")
    type(campaign).objects.filter(pk=campaign.pk).update(pay_per_judgment=1)
    assert accrue(campaign) == 0


def fail_the_test(campaign, respondent):
    """One item of a test, answered wrong."""
    make_item(campaign, slots=0, purpose=ItemPurpose.QUALIFICATION, expected=RIGHT)
    answered = judged(campaign, respondent, answer="tie")
    assert Respondent.objects.get(pk=respondent.pk).state == "screened_out"
    return answered


def test_a_screen_out_is_paid_beside_the_judgment_and_once(campaign):
    type(campaign).objects.filter(pk=campaign.pk).update(pass_mark=0.5)
    respondent = joined(campaign)
    fail_the_test(campaign, respondent)
    assert entries() == [("screen_out", "1.5000", "USD")]
    accrue(campaign)
    assert entries() == [("screen_out", "1.5000", "USD"), FEE]
    unblock_respondent(respondent_id=respondent.pk, reason="our mistake", actor=None, now=timezone.now())
    fail_the_test(campaign, respondent)
    accrue(campaign)
    assert [kind for kind, _amount, _currency in entries()] == ["screen_out", "fee", "fee"]


def test_a_screen_out_without_pay_owes_the_fees_alone(campaign):
    type(campaign).objects.filter(pk=campaign.pk).update(pass_mark=0.5, screen_out_pay=None)
    fail_the_test(campaign, joined(campaign))
    accrue(campaign)
    assert entries() == [FEE]
