"""The pages for watching in a real browser: at a glance on a phone and a desk, in light and dark, and with no fault
that axe finds."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.enums import Role
from accounts.texts import write_personal_text
from annotation.enums import ItemPurpose
from annotation.models import Campaign, Flag, Judgment, JudgmentText, Respondent, Slot
from config.launch.browser import ensure_browser
from tests.annotation.watching.planted import (
    EXPECTED,
    Planted,
    plant_items,
    plant_judgments,
    plant_people,
    planted_campaign,
)
from tests.config.test_pages_in_browser import DESK, FLAGS, PHONE
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ("", "/agreement", "/annotators", "/items", "/rationales")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure_browser(), args=FLAGS)
        yield browser
        browser.close()


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
def open_page(chromium, live_server, campaign) -> Iterator[Callable[..., Page]]:
    contexts, complaints = [], []
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value

    def open_page(viewport: dict[str, int], **values) -> Page:
        contexts.append(chromium.new_context(base_url=live_server.url, viewport=viewport, **values))
        contexts[-1].add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def picture(page: Page, name: str) -> None:
    """For somebody to look at, where a folder is named for it."""
    if folder := os.environ.get("CARDINAL_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_every_page_fits_and_has_no_fault_that_axe_finds(open_page):
    for viewport, scheme in ((DESK, "light"), (PHONE, "dark")):
        page = open_page(viewport, color_scheme=scheme)
        for address in PAGES:
            page.goto(f"/campaigns/trial/watch{address}")
            picture(page, f"watch{address.replace('/', '-')}-{viewport['width']}-{scheme}")
            results = Axe().run(page, options={"runOnly": STANDARDS})
            assert results.violations_count == 0, results.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_the_table_of_annotators_sorts_and_downloads_by_keys(open_page):
    page = open_page(DESK)
    page.goto("/campaigns/trial/watch/annotators")
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


def test_rationales_are_looked_for_and_lead_to_their_items(open_page):
    page = open_page(PHONE)
    page.goto("/campaigns/trial/watch/rationales")
    page.get_by_label("Words").fill("RULE COMES")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 found among 3 texts")).to_be_visible()
    page.get_by_role("link", name="Item").last.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
