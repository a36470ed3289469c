"""Votes that are set apart, in a real browser: a visitor on a phone sees why and appeals, an admin answers, and the
votes come back and count. Looked at by day on a phone and by night at a desk."""

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Respondent
from arena.models import BlockAppeal
from arena.web.visitors import COOKIE
from tests.arena.factories import make_arena
from tests.arena.test_files_in_browser import PAINTED
from tests.arena.test_set_apart import REASON, TOKEN, WORDS, standing, voter
from tests.browser import DESK, PHONE, look
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(open_page, site_address) -> Page:
    """The visitor's."""
    page = open_page(None, PHONE, reduced_motion="reduce", has_touch=True)
    page.context.add_cookies([{"name": COOKIE, "value": TOKEN, "url": site_address}])
    return page


def look_by_day_and_night(page: Page, name: str) -> None:
    """By day on a phone, by night at a desk."""
    before = page.viewport_size
    for viewport, scheme in ((PHONE, "light"), (DESK, "dark")):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme)
        page.evaluate(PAINTED, scheme)
        look(page, f"{name}-{scheme}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)


def test_a_visitor_sees_why_their_votes_are_set_apart_appeals_is_answered_and_their_votes_count_again(open_page, phone):
    make_arena()
    respondent = voter()
    desk = open_page(f"/arenas/arena/visitors/{respondent.pk}", DESK, user=make_user(role="campaign_admin"))
    desk.get_by_label("Reason").fill(REASON)
    desk.get_by_role("button", name="Set apart").click()
    expect(desk.get_by_role("button", name="Let them count")).to_be_visible()
    assert (standing(), Respondent.objects.get(pk=respondent.pk).state) == (0, "blocked")

    phone.goto("/")
    phone.get_by_label("Your prompt").fill("Why is the sky blue?")
    phone.get_by_role("button", name="Start battle").tap()
    expect(phone.get_by_role("alert")).to_contain_text("set apart")
    look_by_day_and_night(phone, "set-apart-start")
    phone.get_by_role("alert").get_by_role("link", name="Your battles").tap()
    expect(phone.get_by_text(REASON)).to_be_visible()
    look_by_day_and_night(phone, "set-apart-visitor")
    phone.get_by_label("Why your votes should count").fill(WORDS)
    phone.get_by_role("button", name="Appeal").tap()
    expect(phone.get_by_text("Waits for a decision")).to_be_visible()
    look_by_day_and_night(phone, "set-apart-appealed")

    desk.goto("/arenas/arena/integrity")
    expect(desk.get_by_text(WORDS)).to_be_visible()
    look_by_day_and_night(desk, "set-apart-integrity")
    desk.get_by_label("Answer, which the visitor reads").fill("You are right: poems it was.")
    desk.get_by_role("button", name="Grant: the votes count again").click()
    expect(desk.get_by_text("Nobody’s votes are set apart.")).to_be_visible()
    assert (standing(), BlockAppeal.objects.get().state) == (2, "granted")

    phone.reload()
    expect(phone.get_by_role("heading", name="count again")).to_be_visible()
    expect(phone.get_by_text("You are right: poems it was.")).to_be_visible()
    look_by_day_and_night(phone, "set-apart-again")
    phone.goto("/")
    phone.get_by_label("Your prompt").fill("And why is it red in the evening?")
    phone.get_by_role("button", name="Start battle").tap()
    phone.wait_for_url("**/battles/*")
