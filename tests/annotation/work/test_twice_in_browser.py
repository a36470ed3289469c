"""The same answer twice in a real browser: a double click, and the way back; each with the guards taken away."""

from contextlib import nullcontext

import pytest
from playwright.sync_api import Page, Request, expect

from annotation.models import Assignment, Judgment
from annotation.use_cases import submit_judgment
from foundation.idempotency import Attempt
from tests.annotation.test_submit_judgment import as_owner, flush_judgments
from tests.annotation.work.test_work_in_browser import choose, prefetched, submit
from tests.browser import DESK

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
    """A button that is never out of use; on the server no key that is known again, no look at what became of it, and
    no row of which there is one.
    """
    monkeypatch.setattr(submit_judgment, "once", lambda **_: nullcontext(Attempt(replayed=False)))
    for guard in ("refuse_unless_open", "_end"):
        monkeypatch.setattr(submit_judgment, guard, lambda *_: None)
    page = at_work(DESK)
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
