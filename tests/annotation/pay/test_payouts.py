"""Everything owed is in one payout or waits: to the cent, once, whoever presses when."""

import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.enums import EntryKind
from annotation.models import Event, LedgerEntry, Payment, Payout, PayoutLine
from annotation.queries.pay import lines_of
from annotation.use_cases import make_payouts as module
from annotation.use_cases.confirm_payment import PaidBefore, confirm_payment
from annotation.use_cases.make_payouts import NothingToPay, make_payouts
from annotation.use_cases.record_entry import record_entry
from annotation.use_cases.reverse_entry import NotReversible, ReversedBefore, reverse_entry
from tests.factories import PREFERENCE, make_campaign, make_respondent
from tests.foundation.threads import run_together

pytestmark = pytest.mark.django_db

TRANSACTIONAL = pytest.mark.django_db(transaction=True)
CENT = Decimal("0.01")


@pytest.fixture
def campaign():
    return make_campaign(slug="trial", questions=[PREFERENCE])


def owe(respondent, amount, currency="USD"):
    return record_entry(
        respondent=respondent,
        kind=EntryKind.BONUS,
        amount=Decimal(amount),
        currency=currency,
        reason="Careful work.",
        now=timezone.now(),
    )


def pay_out(campaign):
    return make_payouts(campaign_id=campaign.pk, actor=None, now=timezone.now())


def lines(payout):
    return {line.respondent_id: str(line.amount) for line in payout.lines.all()}


def waiting(respondent):
    return sum(LedgerEntry.objects.filter(respondent=respondent, paid__isnull=True).values_list("amount", flat=True))


def check_books(campaign):
    """What must hold at every moment, whatever was entered and paid out before."""
    file_of = {}
    for line in PayoutLine.objects.filter(payout__campaign=campaign).select_related("payout"):
        behind = LedgerEntry.objects.filter(paid__line=line)
        assert {(entry.respondent_id, entry.currency) for entry in behind} == {
            (line.respondent_id, line.payout.currency)
        }
        assert sum(entry.amount for entry in behind) == line.amount > 0
        assert line.amount == line.amount.quantize(CENT)
        file_of.setdefault(line.payout_id, []).append(line.amount)
    for payout in Payout.objects.filter(campaign=campaign):
        assert sum(file_of[payout.pk]) == payout.total
    owed, settled = defaultdict(Decimal), defaultdict(Decimal)
    for entry in LedgerEntry.objects.filter(campaign=campaign):
        owed[entry.respondent_id, entry.currency] += entry.amount
    for entry in LedgerEntry.objects.filter(campaign=campaign, paid__isnull=False):
        settled[entry.respondent_id, entry.currency] += entry.amount
    for who, amount in owed.items():
        left = LedgerEntry.objects.filter(respondent=who[0], currency=who[1], paid__isnull=True)
        assert amount == settled[who] + sum(entry.amount for entry in left)
    carried = LedgerEntry.objects.filter(campaign=campaign, kind=EntryKind.CARRIED)
    assert sum(entry.amount for entry in carried) == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("owe"), st.integers(0, 2), st.integers(1, 99_999), st.sampled_from(["USD", "USD", "EUR"])),
        st.tuples(st.just("reverse"), st.integers(0, 50)),
        st.just(("pay out",)),
    ),
    min_size=3,
    max_size=16,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_entered_the_files_sum_to_the_entries_and_nothing_is_paid_twice(db, steps):
    with transaction.atomic():
        campaign = make_campaign(questions=[PREFERENCE])
        people = [make_respondent(campaign) for _ in range(3)]
        entries, meant = [], defaultdict(Decimal)
        for step, *values in [*steps, ("pay out",)]:
            if step == "owe":
                who, ten_thousandths, currency = values
                entries.append(owe(people[who], Decimal(ten_thousandths) / 10_000, currency))
                meant[people[who].pk, currency] += entries[-1].amount
            elif step == "reverse" and entries:
                entry = entries.pop(values[0] % len(entries))
                reverse_entry(entry_id=entry.pk, reason="a slip", actor=None, now=timezone.now())
                meant[entry.respondent_id, entry.currency] -= entry.amount
            elif step == "pay out":
                with suppress(NothingToPay):
                    pay_out(campaign)
                check_books(campaign)
        paid = defaultdict(Decimal)
        for line in PayoutLine.objects.filter(payout__campaign=campaign).select_related("payout"):
            paid[line.respondent_id, line.payout.currency] += line.amount
        # Everybody has what they are owed but for less than a cent; who owes us has no more than they were given.
        for who, amount in meant.items():
            assert paid[who] == 0 or paid[who] >= amount - CENT
            assert amount - paid[who] < CENT
        transaction.set_rollback(True)


def test_what_is_below_a_cent_goes_into_the_next_payout(campaign):
    respondent = make_respondent(campaign)
    owe(respondent, "0.1250")
    (first,) = pay_out(campaign)
    assert (first.number, first.total, lines(first)) == (1, Decimal("0.12"), {respondent.pk: "0.12"})
    assert waiting(respondent) == Decimal("0.0050")
    with pytest.raises(NothingToPay):
        pay_out(campaign)
    owe(respondent, "0.1250")
    (second,) = pay_out(campaign)
    # What was carried over is counted as little here as by person.
    assert [line.entries for payout in (first, second) for line in lines_of(payout)] == [1, 1]
    assert (second.number, second.total) == (2, Decimal("0.13"))
    assert waiting(respondent) == 0
    check_books(campaign)
    event = Event.objects.get(subject="annotation.payout", subject_id=str(second.pk))
    assert (event.verb, event.data) == ("made", {"total": "0.13", "currency": "USD", "number": 2})


def test_each_currency_has_its_own_payout_and_who_owes_us_waits(campaign):
    one, other = make_respondent(campaign), make_respondent(campaign)
    mistake = owe(one, "5.00")
    assert [lines(payout) for payout in pay_out(campaign)] == [{one.pk: "5.00"}]
    reverse_entry(entry_id=mistake.pk, reason="meant for somebody else", actor=None, now=timezone.now())
    owe(one, "2.00")
    owe(one, "1.00", "EUR")
    owe(other, "3.00")
    euros, dollars = pay_out(campaign)
    assert (euros.currency, lines(euros)) == ("EUR", {one.pk: "1.00"})
    assert (dollars.currency, lines(dollars)) == ("USD", {other.pk: "3.00"})
    assert waiting(one) == Decimal("-3.00")
    owe(one, "3.50")
    assert [lines(payout) for payout in pay_out(campaign)] == [{one.pk: "0.50"}]
    check_books(campaign)


def test_only_what_a_person_gave_by_hand_is_taken_back_by_hand_and_once(campaign):
    respondent = make_respondent(campaign)
    entry = owe(respondent, "1.00")
    reversal = reverse_entry(entry_id=entry.pk, reason="a slip", actor=None, now=timezone.now())
    assert (reversal.amount, reversal.reason) == (Decimal("-1.00"), "a slip")
    with pytest.raises(ReversedBefore):
        reverse_entry(entry_id=entry.pk, reason="again", actor=None, now=timezone.now())
    with pytest.raises(NotReversible):
        reverse_entry(entry_id=reversal.pk, reason="back", actor=None, now=timezone.now())
    assert LedgerEntry.objects.count() == 2


def test_a_payout_is_confirmed_once_with_its_reference(campaign):
    owe(make_respondent(campaign), "1.00")
    (payout,) = pay_out(campaign)
    confirm = partial(confirm_payment, payout_id=payout.pk, actor=None, now=timezone.now())
    confirm(reference="transfer 77")
    with pytest.raises(PaidBefore):
        confirm(reference="transfer 78")
    assert list(Payment.objects.values_list("reference", flat=True)) == ["transfer 77"]
    assert Event.objects.filter(subject="annotation.payout", verb="paid").count() == 1


def slow_statement(monkeypatch):
    """Both come to the statement before either commits."""
    pay = module._pay_out

    def slow(*values):
        made = pay(*values)
        time.sleep(0.3)
        return made

    monkeypatch.setattr(module, "_pay_out", slow)


def two_press(campaign, monkeypatch):
    for number in range(1, 6):
        owe(make_respondent(campaign), f"{number}.0033")
    slow_statement(monkeypatch)
    return run_together(partial(pay_out, campaign), partial(pay_out, campaign))


@TRANSACTIONAL
def test_two_who_press_at_once_make_one_payout(campaign, monkeypatch):
    outcomes = two_press(campaign, monkeypatch)
    assert sorted(type(outcome) for outcome in outcomes if isinstance(outcome, Exception)) == [NothingToPay]
    assert list(Payout.objects.values_list("number", "total")) == [(1, Decimal("15.00"))]
    check_books(campaign)


@TRANSACTIONAL
def test_control_without_the_lock_only_the_database_stands_between_them_and_paying_twice(campaign, monkeypatch):
    @contextmanager
    def nothing(campaign_id):
        yield

    monkeypatch.setattr(module, "ledger_lock", nothing)
    monkeypatch.setattr(module, "accrue_fees", lambda **values: 0)
    outcomes = two_press(campaign, monkeypatch)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [IntegrityError]
    assert Payout.objects.count() == 1
