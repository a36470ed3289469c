"""People of a campaign in a real browser: a link is made and copied, somebody is blocked, axe finds nothing."""

import pytest
from playwright.sync_api import Page, expect

from accounts.enums import Role
from annotation.models import Campaign, Respondent
from tests.annotation.people.working import given, joined, judged
from tests.browser import DESK, PHONE, look, shoot
from tests.factories import PREFERENCE, make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
def signed_in(campaign):
    return make_user(role=Role.CAMPAIGN_ADMIN, username="admin")


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
    shoot(page, "person-blocked")
    page.get_by_label("Reason").fill("It was somebody else.")
    page.get_by_role("button", name="Let them work again").click()
    expect(page.get_by_text("They can work again.")).to_be_visible()
    assert Respondent.objects.get(person__user__username="ada").state == "active"


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone-dark", "desk-light"])
def test_the_pages_have_no_fault_that_axe_finds(open_page, viewport, scheme):
    page = open_page("/campaigns/trial/people", viewport, color_scheme=scheme)
    look(page, "people")
    make_link(page)
    look(page, "people-link")
    page.get_by_text("Invite people").click()
    page.get_by_label("Name").fill("x")
    page.get_by_label("How many people may use it").fill("none")
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator(".field .errorlist")).to_be_visible()
    look(page, "people-refused")
    page.get_by_role("link", name="ada").click()
    look(page, "person")
