"""The pages for watching in a real browser: at a glance on a phone and a desk, in light and dark, and with no fault
that axe finds."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.enums import Role
from accounts.texts import write_personal_text
from annotation.enums import ItemPurpose
from annotation.models import Campaign, Flag, Judgment, JudgmentText, Respondent, Slot
from tests.annotation.watching.planted import (
    EXPECTED,
    Planted,
    plant_items,
    plant_judgments,
    plant_people,
    planted_campaign,
)
from tests.browser import DESK, PHONE, look
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ("", "/agreement", "/annotators", "/items", "/rationales")


@pytest.fixture
def campaign() -> Campaign:
    campaign = planted_campaign(slug="trial", name="Which answer helps more?")
    Campaign.objects.update(pay_per_judgment="0.25", budget_money=40, budget_judgments=900)
    people = plant_people(campaign, [Planted()] * 6 + [Planted(left=0.8), Planted(right=0.5, seconds=1.5)])
    work = plant_items(campaign, 15, category="Law", language="en") + plant_items(campaign, 15, category="Poems")
    gold = plant_items(campaign, 8, purpose=ItemPurpose.GOLD, expected=EXPECTED)
    plant_judgments(campaign, people, [*work, *gold, *plant_items(campaign, 3, repeat_of=work[0])])
    older = dict(list(people.items())[:2])
    for hours in (3, 5, 6, 9, 20, 30):
        plant_judgments(campaign, older, plant_items(campaign, hours), ended_at=timezone.now() - timedelta(hours=hours))
    slots = [Slot(item=item, campaign=campaign, number=k, state="done") for item in work for k in range(8)]
    slots += [Slot(item=item, campaign=campaign, number=9, state=state) for item in work for state in ("open",)]
    Slot.objects.bulk_create(slots)
    first = Respondent.objects.earliest("pk")
    text = write_personal_text(person=first.person, text="The second answer names a real neighbour.")
    Flag.objects.create(item=work[0], respondent=first, reason="personal", personal_text=text)
    for judgment in Judgment.objects.filter(respondent=first)[:3]:
        words = write_personal_text(person=first.person, text="It says where the rule comes from, the other does not.")
        JudgmentText.objects.create(judgment=judgment, question="why", personal_text=words)
    return campaign


@pytest.fixture
def signed_in(campaign):
    return make_user(role=Role.CAMPAIGN_ADMIN)


def test_every_page_fits_and_has_no_fault_that_axe_finds(open_page):
    for viewport, scheme in ((DESK, "light"), (PHONE, "dark")):
        page = open_page(None, viewport, color_scheme=scheme)
        for address in PAGES:
            page.goto(f"/campaigns/trial/watch{address}")
            look(page, f"watch{address.replace('/', '-')}-{scheme}")


def test_the_table_of_annotators_sorts_and_downloads_by_keys(open_page):
    page = open_page("/campaigns/trial/watch/annotators")
    expect(page.get_by_text("prefers the left side").first).to_be_visible()
    head = page.get_by_role("link", name="Median time")
    head.focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Median time")
    page.get_by_role("link", name="Median time").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Median time")
    expect(page.locator("tbody tr").first).to_contain_text("faster than 3 s")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "trial-annotators.csv"


def test_who_stands_out_is_named_beside_the_figures_however_far_they_are_scrolled(open_page, campaign):
    page = open_page("/campaigns/trial/watch/annotators", PHONE)
    name = page.locator("tbody th").first
    page.locator(".watch-table--wide").evaluate("table => (table.parentElement.scrollLeft = 900)")
    assert name.bounding_box()["x"] >= 0
    name.get_by_role("link").click()
    expect(page.get_by_role("heading", name="How they judge")).to_be_visible()
    look(page, "watch-person-phone")


def test_rationales_are_looked_for_and_lead_to_their_items(open_page):
    page = open_page("/campaigns/trial/watch/rationales", PHONE)
    page.get_by_label("Words").fill("RULE COMES")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 found among 3 texts")).to_be_visible()
    page.get_by_role("link", name="Item").last.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
