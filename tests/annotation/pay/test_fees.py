"""A fee for every judgment, taken back by a rejection and given back when that does not stand."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.enums import EntryKind
from annotation.models import Event, LedgerEntry
from annotation.use_cases.record_entry import NotAnAmount, record_entry
from annotation.use_cases.withdraw_fee import restore_fee, withdraw_fee
from tests.annotation.people.working import joined, judged
from tests.factories import PREFERENCE, make_campaign, make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", questions=[PREFERENCE])


@pytest.fixture
def judgment(campaign):
    make_item(campaign)
    return judged(campaign, joined(campaign))


def fee_of(judgment, amount="0.1250"):
    return record_entry(
        respondent=judgment.respondent,
        kind=EntryKind.FEE,
        amount=Decimal(amount),
        currency="USD",
        judgment=judgment,
        now=timezone.now(),
    )


def amounts():
    return [str(amount) for amount in LedgerEntry.objects.order_by("pk").values_list("amount", flat=True)]


def test_an_entry_leaves_an_event_and_a_second_fee_is_refused(judgment):
    entry = fee_of(judgment)
    event = Event.objects.get(subject="annotation.ledgerentry", subject_id=str(entry.pk))
    assert (event.verb, event.data["amount"], event.data["kind"]) == ("owed", "0.1250", "fee")
    with pytest.raises(IntegrityError, match="one_fee_per_judgment"), transaction.atomic():
        fee_of(judgment)
    assert amounts() == ["0.1250"]


@pytest.mark.parametrize("amount", ["0.12345", "NaN", "Infinity"])
def test_what_the_ledger_cannot_keep_is_refused(judgment, amount):
    with pytest.raises(NotAnAmount):
        fee_of(judgment, amount)
    assert amounts() == []


def test_a_fee_is_taken_back_once_and_given_back_once(judgment):
    now = timezone.now()
    fee = fee_of(judgment)
    assert restore_fee(judgment=judgment, actor=None, now=now) is None
    taken = withdraw_fee(judgment=judgment, actor=None, now=now)
    assert (taken.amount, taken.reversal_of, taken.kind) == (Decimal("-0.1250"), fee, "reversal")
    assert withdraw_fee(judgment=judgment, actor=None, now=now) is None
    given = restore_fee(judgment=judgment, actor=None, now=now)
    assert (given.amount, given.reversal_of) == (Decimal("0.1250"), taken)
    assert restore_fee(judgment=judgment, actor=None, now=now) is None
    withdraw_fee(judgment=judgment, actor=None, now=now)
    assert amounts() == ["0.1250", "-0.1250", "0.1250", "-0.1250"]


def test_nothing_is_taken_back_that_was_never_written(judgment):
    assert withdraw_fee(judgment=judgment, actor=None, now=timezone.now()) is None
    assert amounts() == []
