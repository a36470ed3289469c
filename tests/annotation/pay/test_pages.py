"""The pages of pay: what they say, what they refuse, and files that reconcile to the cent."""

import csv
from decimal import Decimal
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import EntryKind
from annotation.models import Event, LedgerEntry, Payment, Payout
from annotation.queries.pay import balances_of, pay_by_person
from annotation.use_cases.accrue_fees import accrue_fees
from annotation.use_cases.record_entry import record_entry
from tests.annotation.people.working import joined, judged
from tests.factories import PREFERENCE, make_campaign, make_item, make_user, new_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    campaign = make_campaign(slug="trial", questions=[PREFERENCE])
    type(campaign).objects.filter(pk=campaign.pk).update(pay_per_judgment=Decimal("0.3333"))
    campaign.refresh_from_db()
    return campaign


@pytest.fixture
def people(campaign):
    return [joined(campaign, username=name) for name in ("=cmd|'/C calc'!A0", "grace", "ada")]


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN, username="boss"))
    return client


def at(name, *args):
    return reverse(f"campaign-{name}", args=["trial", *args])


def rows_of(answer):
    return list(csv.DictReader(StringIO(answer.content.decode())))


def owe(respondent, amount, currency="USD", reason="Careful work."):
    return record_entry(
        respondent=respondent,
        kind=EntryKind.BONUS,
        amount=Decimal(amount),
        currency=currency,
        reason=reason,
        now=timezone.now(),
    )


def amounts():
    return sorted(str(amount) for amount in LedgerEntry.objects.values_list("amount", flat=True))


def test_from_judgments_to_a_payment_the_files_reconcile_to_the_cent(campaign, people, admin):
    for _ in range(4):
        make_item(campaign, slots=3)
    for respondent, count in zip(people, (4, 2, 1), strict=True):
        for _ in range(count):
            judged(campaign, respondent)
    admin.post(at("pay-bonus"), {"pseudonym": people[1].pseudonym, "amount": "2.50", "reason": "=1+1", "key": "k1"})

    made = admin.post(at("pay-out"), follow=True)
    assert ("Payout 1" in made.content.decode(), made.redirect_chain) == (True, [(at("pay-payout", 1), 302)])
    file = admin.get(at("pay-payout", 1), {"file": "payment"})
    lines = {row["pseudonym"]: row for row in rows_of(file)}
    assert {name: row["amount"] for name, row in lines.items()} == {
        people[0].pseudonym: "1.33",
        people[1].pseudonym: "3.16",
        people[2].pseudonym: "0.33",
    }
    assert lines[people[0].pseudonym]["username"].startswith("'=cmd")
    assert file["Content-Disposition"] == 'attachment; filename="trial-payout-1.csv"'
    # From the files alone: what they sum to, with what waits, is what was owed.
    entries = rows_of(admin.get(at("pay-entries"), {"format": "csv"}))
    owed = sum(Decimal(row["amount"]) for row in entries)
    waiting = sum(Decimal(row["amount"]) for row in entries if not row["payout"])
    filed = sum(Decimal(row["amount"]) for row in rows_of(file))
    assert (owed, filed, waiting) == (Decimal("4.8331"), Decimal("4.82"), Decimal("0.0131"))
    assert owed == filed + waiting
    assert sum(Decimal(row["amount"]) for row in entries if row["payout"] == "1") == filed == Payout.objects.get().total
    assert [row["reason"] for row in entries if row["kind"] == "bonus"] == ["'=1+1"]
    (balance,) = balances_of(pay_by_person(campaign))
    assert (balance.owed, balance.filed, balance.waiting, balance.missing) == (owed, filed, waiting, 0)

    admin.post(at("pay-paid", 1), {"reference": "transfer 7"})
    (balance,) = balances_of(pay_by_person(campaign))
    assert (balance.paid, balance.filed, balance.missing) == (filed, 0, 0)
    by_person = rows_of(admin.get(at("pay"), {"format": "csv"}))
    assert sum(Decimal(row["paid"]) for row in by_person) == filed
    assert {row["person"]: row["waiting"] for row in by_person}[people[0].pseudonym] == "0.0032"


def test_a_balance_that_does_not_add_up_is_shown(campaign, people, admin):
    """The control of the page's own check: a line with no entry behind it."""
    from annotation.models import PayoutLine

    owe(people[0], "1.00")
    admin.post(at("pay-out"))
    PayoutLine.objects.create(payout=Payout.objects.get(), respondent=people[1], amount=Decimal("0.07"))
    (balance,) = balances_of(pay_by_person(campaign))
    assert balance.missing == Decimal("-0.07")
    assert "<b>-0.07</b>" in admin.get(at("pay")).content.decode()


def test_a_second_press_makes_no_second_payout(campaign, people, admin):
    owe(people[0], "1.00")
    admin.post(at("pay-out"))
    again = admin.post(at("pay-out"), follow=True)
    assert "so none was made" in again.content.decode()
    assert Payout.objects.count() == 1


def test_a_payment_needs_a_reference_and_is_noted_once(campaign, people, admin):
    owe(people[0], "1.00")
    admin.post(at("pay-out"))
    refused = admin.post(at("pay-paid", 1), {"reference": " "})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["reference"])
    admin.post(at("pay-paid", 1), {"reference": "first"})
    again = admin.post(at("pay-paid", 1), {"reference": "second"}, follow=True)
    assert ("that reference stands" in again.content.decode(), Payment.objects.get().reference) == (True, "first")


def test_a_list_of_bonuses_is_given_once_however_often_it_is_sent(campaign, people, admin):
    text = (
        f'pseudonym,amount,reason\n{people[0].pseudonym},1.50,Careful\n\n{people[1].pseudonym}, 2 ,"Long, and good"\n'
    )
    sent = {"text": text, "key": new_key()}
    for _twice in range(2):
        answer = admin.post(at("pay-bonuses"), sent, follow=True)
        assert "2 bonuses were given." in answer.content.decode()
    assert amounts() == ["1.5000", "2.0000"]
    entry = LedgerEntry.objects.get(amount=2)
    assert (entry.reason, entry.approved_by.user.username) == ("Long, and good", "boss")
    assert Event.objects.filter(subject="annotation.ledgerentry", verb="owed").count() == 2
    other = admin.post(at("pay-bonuses"), sent | {"text": text.replace("1.50", "9.50")})
    assert (other.status_code, amounts()) == (422, ["1.5000", "2.0000"])


def test_a_file_of_bonuses_is_refused_line_by_line_and_none_is_given(campaign, people, admin):
    one, two = people[0].pseudonym, people[1].pseudonym
    lines = [f"{one},1.00,Good", f"{two},1.005,Good", f"{one},2.00,Twice", "nobody-here,1,Good", f"{two},0,Good", "a,b"]
    file = SimpleUploadedFile("bonuses.csv", "\ufeff{}\n".format("\n".join(lines)).encode())
    refused = admin.post(at("pay-bonuses"), {"file": file, "key": new_key()})
    said = refused.context["list_form"].errors["text"]
    assert (refused.status_code, amounts()) == (422, [])
    assert [text.split(":")[0] for text in said] == ["Line 2", "Line 3", "Line 4", "Line 5", "Line 6"]
    assert said[2] == "Line 4: Nobody here has the pseudonym “nobody-here”."
    unknown = admin.post(at("pay-bonuses"), {"text": f"{one},1,Good\nnobody-here,1,Good", "key": new_key()})
    assert unknown.context["list_form"].errors["text"] == ["Line 2: Nobody here has the pseudonym “nobody-here”."]
    assert amounts() == []


@pytest.mark.parametrize(
    "sent",
    [
        {"text": ""},
        {"text": "pseudonym,amount,reason"},
        {"text": "x,1e3,why"},
        {"text": "x,NaN,why"},
        {"text": "x,-1,why"},
        {"text": "x,１,why"},
        {"text": 'x,1,"why'},
        {"text": "x,100000,why"},
        {"text": "x,1,why\n" * 1001},
    ],
)
def test_what_is_no_list_of_bonuses_is_refused(campaign, admin, sent):
    answer = admin.post(at("pay-bonuses"), sent | {"key": new_key()})
    assert (answer.status_code, answer.context["list_form"].is_valid()) == (422, False)
    assert amounts() == []


def test_files_that_are_no_text_or_too_large_are_refused(campaign, admin):
    for content in (b"\xff\xfe\x00", b"x" * 500_001):
        file = SimpleUploadedFile("bonuses.csv", content)
        answer = admin.post(at("pay-bonuses"), {"file": file, "key": new_key()})
        assert (answer.status_code, list(answer.context["list_form"].errors)) == (422, ["__all__"])


def test_a_bonus_is_taken_back_with_a_reason_and_a_fee_is_not(campaign, people, admin):
    make_item(campaign)
    judged(campaign, people[0])
    accrue_fees(campaign_id=campaign.pk, now=timezone.now())
    entry, fee = owe(people[0], "1.00"), LedgerEntry.objects.get(kind="fee")
    assert admin.post(at("pay-reverse", entry.pk), {"reason": ""}).status_code == 422
    admin.post(at("pay-reverse", entry.pk), {"reason": "meant for another"})
    again = admin.post(at("pay-reverse", entry.pk), {"reason": "meant for another"})
    assert (again.status_code, "It was taken back before." in again.content.decode()) == (422, True)
    refused = admin.post(at("pay-reverse", fee.pk), {"reason": "I do not like it"})
    assert (refused.status_code, "not taken back by hand" in refused.content.decode()) == (422, True)
    assert amounts() == ["-1.0000", "0.3333", "1.0000"]
    shown = admin.get(at("pay-entries"), {"person": people[0].pseudonym}).content.decode()
    assert ("meant for another" in shown, "Taken back" in shown) == (True, True)
    assert "No entry is like that." in admin.get(at("pay-entries"), {"kind": "draw"}).content.decode()


def test_nothing_of_another_campaign_is_reached(campaign, people, admin):
    entry = owe(people[0], "1.00")
    admin.post(at("pay-out"))
    make_campaign(slug="other", questions=[PREFERENCE])
    elsewhere = (
        reverse("campaign-pay-reverse", args=["other", entry.pk]),
        reverse("campaign-pay-payout", args=["other", 1]),
    )
    assert [admin.get(address).status_code for address in elsewhere] == [404, 404]
    assert admin.get(at("pay-payout", 1), {"file": "no-such-study"}).status_code == 404


def test_the_pages_ask_as_much_of_the_database_for_many_as_for_one(
    campaign, people, admin, django_assert_max_num_queries
):
    def queries(address):
        with django_assert_max_num_queries(30) as caught:
            assert admin.get(address).status_code == 200
        return len(caught)

    owe(people[0], "1.00")
    admin.post(at("pay-out"))
    addresses = [at("pay"), at("pay-entries"), at("pay-payout", 1)]
    few = [queries(address) for address in addresses]
    for respondent in people:
        owe(respondent, "1.0033")
        owe(respondent, "1.00", "EUR")
    admin.post(at("pay-out"))
    assert [queries(address) for address in [at("pay"), at("pay-entries"), at("pay-payout", 3)]] == few
