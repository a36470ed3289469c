"""An annotator at work in a real browser: by keys alone, on a phone, and without a reload."""

import pytest
from playwright.sync_api import Page, Route, expect

from annotation.models import Judgment
from tests.browser import DESK, PHONE, REFUSED, look, shoot
from tests.factories import make_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def expected_complaints() -> str:
    return f"{REFUSED}|status of 503|ERR_INTERNET_DISCONNECTED"


def prompt_of(page: Page) -> str:
    return page.locator(".turn-prompt").first.inner_text()


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"label.choice__option:has(input[name='{name}'][value='{value}'])").click()


def prefetched(page: Page, times: int = 1) -> None:
    """Until the item after this one is there."""
    page.wait_for_function(
        "times => performance.getEntriesByType('resource').filter(e => e.name.includes('/ahead')).length >= times",
        arg=times,
    )
    page.wait_for_load_state("networkidle")


def read(page: Page) -> None:
    """Until what is shown can be submitted as it is: not in its first moment."""
    expect(page.locator("main[data-fresh]")).to_have_count(0)


def without(page: Page, script: str, guard: str, instead: str) -> None:
    """From the next visit on without a guard of a script."""

    def alter(route: Route) -> None:
        body = route.fetch().text()
        assert guard in body
        route.fulfill(body=body.replace(guard, instead), content_type="text/javascript")

    page.context.route(f"**/annotation/{script}.*js", alter)
    page.reload()


def submit(page: Page) -> None:
    """And wait for another item."""
    read(page)
    shown = page.locator("[data-work]").get_attribute("data-assignment")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(f"[data-work]:not([data-assignment='{shown}'])")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_one_item_after_another_without_a_reload(at_work, viewport):
    page = at_work(viewport)
    shoot(page, "work-item")
    # All of them at once: an annotator knows the questions, and not all begin with a button.
    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    assert page.locator("[data-question=why]").is_hidden()
    page.evaluate("window.notReloaded = true")
    seen = [prompt_of(page)]
    for times in (1, 2):
        prefetched(page, times)
        choose(page, "preference", "a")
        page.get_by_label("Why?").fill("It says why.")
        shoot(page, "work-answered")
        submit(page)
        expect(page.get_by_text("Stored.")).to_be_visible()
        seen.append(prompt_of(page))
    assert len(set(seen)) == 3
    assert page.evaluate("window.notReloaded")
    assert Judgment.objects.filter(preference="a").count() == 2
    shoot(page, "work-stored")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert page.get_by_label("Why?").input_value() == "It says why."
    assert prompt_of(page) == seen[1]
    shoot(page, "work-undone")
    standing = Judgment.objects.filter(kind="answer", superseded_by=None)
    assert standing.count() == 1
    submit(page)
    assert prompt_of(page) == seen[2]
    assert page.evaluate("window.notReloaded")
    assert standing.count() == 2


def test_by_keys_alone(at_work):
    page = at_work(DESK)
    prefetched(page)
    page.keyboard.press("?")
    listed = page.get_by_role("dialog")
    for words in ("No difference", "Skips this item", "Says that something is wrong", "Opens the guidelines"):
        expect(listed).to_contain_text(words)
    assert "Clear" not in listed.inner_text()
    shoot(page, "work-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.get_by_label("Reason to skip")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("b")
    page.keyboard.press("2")
    page.keyboard.press("Tab")
    page.get_by_label("Why?").focus()
    page.keyboard.type("Shorter.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Stored.")).to_be_visible()
    judgment = Judgment.objects.get()
    assert (judgment.preference, judgment.strength) == ("b", -2)
    page.keyboard.press("k")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    assert page.get_by_label("Why?").input_value() == "Shorter."


def test_after_practice_the_next_item_comes_without_a_reload(at_work, campaign):
    expected = [{"question": "preference", "values": ["a"]}]
    texts = ("It is **air**: $x^2$.", "Blue paint.")
    prompt = "Why is the sky `blue`?\n\n- by day\n- in words"
    make_item(
        campaign, prompt=prompt, texts=texts, purpose="training", expected=expected, explanation="A is right.", slots=0
    )
    page = at_work(DESK)
    page.evaluate("window.notReloaded = true")
    assert page.locator(".turn-prompt :is(code, li)").count() == 3
    choose(page, "preference", "b")
    page.get_by_label("Why?").fill("It says why.")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Not quite")).to_be_visible()
    for viewport in (PHONE, DESK):
        page.set_viewport_size(viewport)
        look(page, "work-feedback")
    expect(page.get_by_role("link", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-work]")).to_be_visible()
    assert page.evaluate("window.notReloaded")
    page.goto("/annotate")
    look(page, "work-home")


def test_a_refused_answer_says_where_and_leads_there(at_work):
    page = at_work(DESK)
    choose(page, "preference", "b")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Say why, in words.")).to_be_visible()
    expect(page.get_by_label("Why?")).to_be_focused()
    assert page.locator("input[name=preference][value=b]").is_checked()


def test_what_is_typed_is_kept_within_seconds_and_is_there_after_a_crash(at_work, campaign):
    page = at_work(DESK)
    choose(page, "preference", "a")
    page.get_by_label("Why?").fill("Half a thought")
    expect(page.locator("[data-saved-state]")).to_have_text("Saved")
    page.goto("about:blank")
    page.goto(f"/annotate/{campaign.slug}/item")
    assert page.get_by_label("Why?").input_value() == "Half a thought"
    assert page.locator("input[name=preference][value=a]").is_checked()


def test_everything_works_without_script(at_work):
    page = at_work(PHONE, java_script_enabled=False)
    page.locator("label.choice__option:has(input[name='preference'][value='tie'])").click()
    page.get_by_role("button", name="Submit").click()
    assert Judgment.objects.count() == 1
    assert page.locator(".turn-prompt").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_the_pages_have_no_fault_that_axe_finds(at_work, campaign, viewport, scheme):
    page = at_work(viewport, color_scheme=scheme)
    choose(page, "preference", "a")
    for address in ("", "/annotate", f"/annotate/{campaign.slug}", f"/annotate/{campaign.slug}/history"):
        if address:
            page.goto(address)
        look(page, f"work{address.replace('/', '-')}-{scheme}")
