"""Suggestions in a real browser: taken, changed for others without leaving the page, and filled in by an admin."""

import pytest
from playwright.sync_api import expect

from arena.models import Battle, PoolPrompt
from arena.web.visitors import COOKIE
from tests.arena.factories import make_models
from tests.arena.test_prompt_pool import filled
from tests.browser import DESK, PHONE, look
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOKEN = "cookie-of-a-visitor-with-no-idea"


def test_a_visitor_takes_a_suggestion_and_an_admin_adds_some(open_page, site_address):
    make_models()
    arena = filled()
    page = open_page(None, PHONE, reduced_motion="reduce")
    page.context.add_cookies([{"name": COOKIE, "value": TOKEN, "url": site_address}])
    page.route("**/streams/**", lambda route: route.fulfill(status=204))
    page.goto("/")
    page.locator("#prompt").fill("half a thought")
    page.locator(".suggestions__topics").get_by_text("poems", exact=True).click()
    expect(page.locator("#suggestions .example")).to_have_count(3)
    expect(page.locator("#prompt")).to_have_value("half a thought")
    look(page, "suggestions")
    taken = page.locator("#suggestions .example").first
    words = taken.get_attribute("data-text")
    taken.click()
    expect(page.locator("#prompt")).to_have_value(words)
    page.get_by_role("button", name="Start battle").click()
    page.wait_for_url("**/battles/*")
    assert Battle.objects.get().impression.prompt_design == "offered"
    page.goto("/")
    page.get_by_role("button", name="Give me any").click()
    page.wait_for_url("**/battles/*")
    assert set(Battle.objects.values_list("impression__prompt_design", flat=True)) == {"offered", "drawn"}
    desk = open_page(None, DESK, user=make_user(role="campaign_admin"), reduced_motion="reduce")
    desk.goto("/")
    look(desk, "suggestions-desk")
    desk.goto(f"/arenas/{arena.campaign.slug}/prompts")
    desk.get_by_label("Prompts, one on each line").fill("Is 91 a prime number?\nWhat is 12 squared?")
    desk.get_by_role("button", name="Add", exact=True).click()
    expect(desk.get_by_text("2 prompts are new.")).to_be_visible()
    look(desk, "pool")
    desk.set_viewport_size(PHONE)
    look(desk, "pool-phone")
    assert PoolPrompt.objects.count() == 12
