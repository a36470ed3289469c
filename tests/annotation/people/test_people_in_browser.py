"""People of a campaign in a real browser: a link is made and copied, somebody is blocked, axe finds nothing."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.enums import Role
from annotation.models import Campaign, Respondent
from config.launch.browser import ensure_browser
from tests.annotation.people.working import given, joined, judged
from tests.config.test_pages_in_browser import DESK, FLAGS, PHONE
from tests.factories import PREFERENCE, make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure_browser(), args=FLAGS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(slug="trial", name="Blue skies", questions=[PREFERENCE])
    for _ in range(6):
        make_item(campaign, slots=3)
    for name, count in (("ada", 4), ("grace", 2), ("edsger", 0)):
        respondent = joined(campaign, username=name, groups=["nurses", "night shift"])
        for number in range(count):
            judged(campaign, respondent, seconds=5 + number)
        given(campaign, respondent)
    return campaign


@pytest.fixture
def open_page(chromium, live_server, campaign) -> Iterator[Callable[..., Page]]:
    contexts, complaints = [], []
    client = Client()
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN, username="admin"))
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    session = {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}

    def open_page(address: str, viewport: dict[str, int] = DESK, **options: object) -> Page:
        contexts.append(chromium.new_context(base_url=live_server.url, viewport=viewport, **options))
        contexts[-1].add_cookies([session])
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if "Content Security Policy" in text or "Error:" in text] == []


def shoot(page: Page, name: str) -> None:
    """A picture, where somebody asked for pictures."""
    if folder := os.environ.get("CARDINAL_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def look(page: Page, name: str) -> None:
    """Nothing that axe finds, and nothing beside the window."""
    shoot(page, name)
    results = Axe().run(page, options={"runOnly": WCAG})
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def make_link(page: Page) -> str:
    page.get_by_text("Invite people").click()
    page.get_by_label("Name").fill("Doctors")
    page.get_by_label("Groups").fill("doctors, day")
    page.get_by_label("How many people may use it").fill("2")
    page.get_by_role("button", name="Make a link").click()
    return page.get_by_label("Link", exact=True).input_value()


def test_a_link_is_made_copied_and_gone_after_a_reload(open_page):
    page = open_page("/campaigns/trial/people", permissions=["clipboard-read", "clipboard-write"])
    link = make_link(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    assert page.goto(link).status == 200
    page.goto("/campaigns/trial/people")
    expect(page.get_by_role("row", name="Doctors")).to_contain_text("0 of 2")
    assert link not in page.content()
    page.get_by_role("button", name="Revoke: Doctors").click()
    expect(page.get_by_role("row", name="Doctors")).to_contain_text("Revoked")
    assert page.goto(link).status == 404


def test_where_copying_is_refused_the_link_is_selected(open_page):
    page = open_page("/campaigns/trial/people")
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new DOMException('refused'))")
    link = make_link(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("The link is selected")).to_be_visible()
    assert page.evaluate("document.getSelection().toString()") == link


def test_somebody_is_blocked_by_keys_and_may_work_again(open_page):
    page = open_page("/campaigns/trial/people")
    page.get_by_role("link", name="ada").click()
    expect(page.get_by_text("4 judgments are taken out. 5 slots reopen for others.")).to_be_visible()
    page.get_by_label("Reason").focus()
    page.keyboard.type("Clicks at random.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Blocked. 4 judgments were taken out.")).to_be_visible()
    shoot(page, "person-blocked-1440")
    page.get_by_label("Reason").fill("It was somebody else.")
    page.get_by_role("button", name="Let them work again").click()
    expect(page.get_by_text("They can work again.")).to_be_visible()
    assert Respondent.objects.get(person__user__username="ada").state == "active"


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"])
def test_the_pages_have_no_fault_that_axe_finds(open_page, viewport, scheme):
    width = viewport["width"]
    page = open_page("/campaigns/trial/people", viewport, color_scheme=scheme)
    look(page, f"people-{width}")
    make_link(page)
    look(page, f"people-link-{width}")
    page.get_by_text("Invite people").click()
    page.get_by_label("Name").fill("x")
    page.get_by_label("How many people may use it").fill("none")
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator(".field .errorlist")).to_be_visible()
    look(page, f"people-refused-{width}")
    page.get_by_role("link", name="ada").click()
    look(page, f"person-{width}")
