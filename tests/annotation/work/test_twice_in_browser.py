"""The same answer twice in a real browser: a double click, keys twice or held, and the way back; each with the guards
taken away.
"""

import re
from contextlib import nullcontext

import pytest
from playwright.sync_api import Page, Request, expect

from annotation.models import Assignment, Judgment
from annotation.use_cases import submit_judgment
from foundation.idempotency import Attempt
from tests.annotation.test_submit_judgment import as_owner, flush_judgments
from tests.annotation.work.test_work_in_browser import choose, prefetched, read, submit, without
from tests.browser import DESK, REFUSED

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def answer_by_double_click(page: Page) -> int:
    """How many judgments come of it, once every request is answered."""
    prefetched(page)
    underway: set[Request] = set()
    page.on("request", lambda request: underway.add(request))
    page.on("requestfinished", lambda request: underway.discard(request))
    choose(page, "preference", "tie")
    page.get_by_role("button", name="Submit").dblclick()
    expect(page.get_by_text("Stored.")).to_be_visible()
    while underway:
        page.wait_for_timeout(20)
    return Judgment.objects.count()


def test_a_double_click_is_one_answer(at_work):
    assert answer_by_double_click(at_work(DESK)) == 1


def test_control_a_double_click_where_nothing_knows_it_again_is_two(at_work, monkeypatch):
    """A page that sends whatever it is told to; on the server no key that is known again, no look at what became of
    it, and no row of which there is one.
    """
    monkeypatch.setattr(submit_judgment, "once", lambda **_: nullcontext(Attempt(replayed=False)))
    for guard in ("refuse_unless_open", "_end"):
        monkeypatch.setattr(submit_judgment, guard, lambda *_: None)
    page = at_work(DESK)
    without(page, "work", "if (sending || (isFresh()", "if (false && (isFresh()")
    page.evaluate("Object.defineProperty(HTMLButtonElement.prototype, 'disabled', { set() {} })")
    with as_owner("DROP INDEX one_first_judgment_per_respondent_and_item"):
        found = answer_by_double_click(page)
        flush_judgments()
    assert found == 2


def test_the_back_button_after_an_answer_leads_to_what_is_not_answered(at_work, campaign):
    """Its control is in test_pages.py: a page that a browser kept, and what stands against it."""
    page = at_work(DESK)
    answered = page.locator("[data-work]").get_attribute("data-assignment")
    choose(page, "preference", "tie")
    submit(page)
    page.goto(f"/annotate/{campaign.slug}/history")
    page.go_back()
    assert page.locator("[data-work]").get_attribute("data-assignment") != answered
    choose(page, "preference", "tie")
    submit(page)
    assert Assignment.objects.filter(state="submitted").count() == Judgment.objects.count() == 2


@pytest.fixture
def expected_complaints() -> str:
    return f"{REFUSED}|ERR_INTERNET_DISCONNECTED"


def posts_of(page: Page) -> list[str]:
    posts: list[str] = []
    page.on("request", lambda each: posts.append(each.url) if re.search(r"/items/\d+$", each.url) else None)
    return posts


def press_twice_and_hold(page: Page) -> None:
    """Twice at once, again while the next item is new, and then without letting go."""
    prefetched(page)
    choose(page, "preference", "tie")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    page.keyboard.down("Control")
    for pause in (250, 100, 900, 100):
        page.wait_for_timeout(pause)
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.keyboard.up("Control")


def test_keys_pressed_twice_or_held_answer_one_item(at_work):
    page = at_work(DESK)
    posts, answered = posts_of(page), page.locator("[data-work]").get_attribute("data-assignment")
    press_twice_and_hold(page)
    expect(page.get_by_text("Stored.")).to_be_visible()
    assert page.locator("[data-work]").get_attribute("data-assignment") != answered
    assert page.locator("[data-ballot] [aria-invalid=true]").count() == 0
    assert (len(posts), Judgment.objects.count()) == (1, 1)
    # Once it was there for a moment it is anybody's to submit.
    read(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-ballot] [aria-invalid=true]").first).to_be_visible()


def test_keys_pressed_twice_without_a_network_leave_the_next_item_alone(at_work):
    page = at_work(DESK)
    prefetched(page)
    page.context.set_offline(True)
    choose(page, "preference", "tie")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Answers that wait to be sent: 1")).to_be_visible()
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(300)
    expect(page.get_by_text("Answers that wait to be sent: 1")).to_be_visible()
    expect(page.locator("[data-ballot]")).to_be_visible()


@pytest.mark.parametrize(
    ("guard", "instead"),
    [("if (sending || (isFresh()", "if ((isFresh()"), ('main.dataset.fresh = "";', "")],
    ids=["one-at-a-time", "not-what-is-new"],
)
def test_control_without_its_guards_the_page_sends_more_than_one(at_work, guard, instead):
    page = at_work(DESK)
    without(page, "work", guard, instead)
    posts = posts_of(page)
    press_twice_and_hold(page)
    assert len(posts) > 1
