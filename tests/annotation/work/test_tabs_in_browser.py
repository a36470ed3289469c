"""One item in two tabs of a real browser: what was typed in either is there until its author chooses."""

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation.models import Draft, Judgment
from tests.annotation.work.test_work_in_browser import choose, prompt_of, without
from tests.browser import DESK, PHONE, check_axe, shoot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST, SECOND = "From the first tab", "From the second tab"


def two_tabs(first: Page, address: str) -> Page:
    """The first has stored what it typed; the second, which was open before, types and hears of it."""
    second = first.context.new_page()
    second.goto(address)
    assert prompt_of(first) == prompt_of(second)
    for tab, words in ((first, FIRST), (second, SECOND)):
        choose(tab, "preference", "a")
        tab.get_by_label("Why?").fill(words)
        expect(first.locator("[data-saved-state]")).to_have_text("Saved")
    return second


def told(page: Page) -> Locator:
    return page.locator("[data-line=draft]")


def type_on(page: Page) -> None:
    """And wait until the page has had time to save."""
    page.get_by_label("Why?").press_sequentially(" and on")
    page.wait_for_timeout(1600)


def test_what_two_tabs_typed_stands_side_by_side_until_one_is_chosen(at_work, campaign):
    first = at_work(DESK)
    second = two_tabs(first, f"/annotate/{campaign.slug}/item")
    expect(told(second)).to_contain_text("was changed in another tab")
    # In view where one types, and in the words of the questions.
    expect(told(second)).to_be_in_viewport(ratio=1)
    assert "preference" not in told(second).inner_text()
    type_on(second)
    expect(told(second).locator("dl")).to_have_text(f"Why?{FIRST}")
    assert (Draft.objects.get().version, Judgment.objects.count()) == (1, 0)
    shoot(second, "work-stale")
    # Nor is it submitted over what the other tab typed.
    second.keyboard.press("Control+Enter")
    keep = told(second).get_by_role("button", name="Keep what is here")
    expect(keep).to_be_focused()
    assert Judgment.objects.count() == 0
    keep.click()
    expect(second.locator("[data-saved-state]")).to_have_text("Saved")
    expect(told(second)).to_be_hidden()
    second.reload()
    assert second.get_by_label("Why?").input_value() == f"{SECOND} and on"


def test_what_is_stored_can_be_taken_instead_and_nothing_covers_where_one_types(at_work, campaign):
    second = two_tabs(at_work(PHONE), f"/annotate/{campaign.slug}/item")
    expect(told(second)).to_be_in_viewport(ratio=1)
    box, field = told(second).bounding_box(), second.get_by_label("Why?").bounding_box()
    assert box is not None
    assert field is not None
    assert box["y"] + box["height"] <= field["y"]
    check_axe(second)
    shoot(second, "work-stale")
    told(second).get_by_role("button", name="Take what is stored").click()
    expect(second.get_by_label("Why?")).to_have_value(FIRST)
    expect(told(second)).to_be_hidden()
    assert second.evaluate("Object.keys(localStorage).filter(name => name.startsWith('cardinal-kept'))") == []
    assert Draft.objects.get().version == 1


def test_control_a_tab_that_saves_on_puts_its_words_in_place_of_the_others(at_work, campaign):
    first = at_work(DESK)
    without(first, "work", 'here.dataset.undecided = "1";', "here.dataset.draftVersion = stored.version;")
    second = two_tabs(first, f"/annotate/{campaign.slug}/item")
    expect(told(second)).to_contain_text(FIRST)
    type_on(second)
    assert Draft.objects.get().version == 2
