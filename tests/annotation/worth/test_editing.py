"""Paid amounts as an admin sets them up: what the form takes, what the launch asks for, what one person can cost."""

import re
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from annotation.models import Campaign
from annotation.policies.launch import Supply, missing_before_launch
from annotation.questions import InvalidSettings, get_type
from annotation.use_cases.start_campaign import start_campaign
from tests.annotation.worth.bidding import BID, PREFERENCE
from tests.factories import make_user

pytestmark = pytest.mark.django_db

DRAFT = {"questions": [PREFERENCE, BID], "guidelines": "Judge facts.", "consent": "Ten minutes."}
SET = {
    "purpose": "To see.",
    "endowments": [Decimal("5.00"), Decimal("10.00")],
    "session_items": 20,
    "screen_out_pay": Decimal("1.00"),
    "pay_per_judgment": Decimal("0.25"),
    "expected_seconds": 60,
    "budget_money": Decimal("100.00"),
}
ENOUGH = Supply(work=30, anchors=12, checks=4)


def drafted(questions=(PREFERENCE, BID), **settings) -> Campaign:
    draft = DRAFT | {"questions": list(questions)}
    return start_campaign(name="Paid", draft=draft, settings=SET | settings, actor=None, now=timezone.now())


def missing(campaign: Campaign, supply: Supply = ENOUGH) -> list[tuple[str, str]]:
    return [(each.section, each.text) for each in missing_before_launch(campaign, supply, timezone.now())]


def test_what_is_complete_can_be_launched():
    # 21 items are the fewest for twelve anchors, four repeats and what stands between them.
    assert missing(drafted(session_items=21)) == []


@pytest.mark.parametrize(
    ("settings", "section", "words"),
    [
        ({"endowments": []}, "worth", "what people are given"),
        ({"session_items": None}, "worth", "after how many items"),
        ({"session_items": 20}, "worth", "too short for all anchors"),
        ({"session_items": 60}, "items", "fewer items than a session"),
        ({"screen_out_pay": None}, "pay", "fails the comprehension check"),
        ({"currency": "EUR"}, "design", "currency of pay"),
        ({"budget_money": None}, "design", "most money"),
        # 10.00, and 0.25 for 21 items and 4 checks: 16.25.
        ({"budget_money": Decimal("16.24")}, "design", "16.25 USD"),
    ],
)
def test_a_launch_names_what_is_missing_and_where_it_is_mended(settings, section, words):
    found = missing(drafted(**({"session_items": 21} | settings)))
    assert [(where, words in text) for where, text in found] == [(section, True)]


def test_amounts_for_ones_own_prompts_are_not_paid_as_nothing_could_be_delivered():
    own = BID | {"settings": {"mode": "bdm", "incentive": "paid_self"}}
    ((section, text),) = missing(drafted([PREFERENCE, own], session_items=21))
    assert (section, "nothing could be delivered" in text) == ("questions", True)


def test_the_editor_offers_no_amounts_for_ones_own_prompts_and_changes_none_unseen(admin):
    def incentives(question):
        page = admin.get(f"/campaigns/{drafted([PREFERENCE, question]).slug}/edit/questions").content.decode()
        (listed,) = re.findall(r'<select name="q2-set-incentive".*?</select>', page, re.DOTALL)
        return re.findall(r'value="(\w+)"( selected)?', listed)

    assert incentives(BID) == [("stated", ""), ("paid_delegated", " selected")]
    own = BID | {"settings": {"mode": "bdm", "incentive": "paid_self"}}
    assert incentives(own) == [("stated", ""), ("paid_self", " selected"), ("paid_delegated", "")]
    with pytest.raises(InvalidSettings) as refused:
        get_type("amount").check_settings({"mode": "bdm"})
    assert str(refused.value.words) == "Amounts that are asked in this way are: Paid, for somebody else."


def test_where_amounts_are_only_stated_nothing_of_it_is_needed():
    stated = {"name": "worth", "type": "amount"}
    assert missing(drafted([PREFERENCE, stated], endowments=[], session_items=None, screen_out_pay=None)) == []


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    return client


def edit(client: Client, campaign: Campaign, **values):
    address = f"/campaigns/{campaign.slug}/edit/worth"
    page = client.get(address).content.decode()
    version = page.split('name="version" value="')[1].split('"')[0]
    return client.post(address, {"version": version} | values)


def test_an_admin_sets_endowments_and_sees_the_most_that_one_person_costs(admin):
    campaign = drafted(endowments=[], session_items=None)
    assert edit(admin, campaign, endowments="5\n10.50", session_items="20").status_code == 302
    campaign.refresh_from_db()
    assert (campaign.endowments, campaign.session_items) == ([Decimal("5.00"), Decimal("10.50")], 20)
    shown = admin.get(f"/campaigns/{campaign.slug}/edit/worth").content.decode()
    assert "15.50 USD" in shown
    assert "5.00\n10.50" in shown


@pytest.mark.parametrize(
    ("endowments", "words"),
    [
        ("0", "no whole number of cents"),
        ("1.005", "1.005"),
        ("5\n5.00", "Write each amount once"),
        ("\n".join(str(each) for each in range(1, 10)), "At most 8"),
        ("1e3", "1e3"),
        ("99999", "no whole number of cents"),
    ],
)
def test_an_endowment_that_cannot_be_paid_is_refused_and_still_there(admin, endowments, words):
    campaign = drafted()
    answer = edit(admin, campaign, endowments=endowments, session_items="20")
    assert answer.status_code == 422
    assert words in unescape(answer.content.decode())
    campaign.refresh_from_db()
    assert campaign.endowments == SET["endowments"]
