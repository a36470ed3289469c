"""An annotator at work in a real browser: by keys alone, on a phone, in two tabs, and without a network."""

import os
import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.use_cases.create_person import person_of_user
from annotation.models import Assignment, Campaign, Draft, Judgment
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from config.launch.browser import ensure_browser
from tests.config.test_pages_in_browser import DESK, FLAGS, PHONE
from tests.factories import AMOUNT, PREFERENCE, RATIONALE, make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "Light of every colour is scattered by air, and blue the most.\n\n" * 8
ASKED_WHY = RATIONALE | {"required": True, "condition": {"question": "preference", "values": ["a", "b"]}}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure_browser(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE, ASKED_WHY, AMOUNT], name="Blue skies")
    for number in range(1, 5):
        make_item(campaign, prompt=f"Why is the sky blue, {number}?", texts=(LONG, "Because air scatters blue light."))
    return campaign


@pytest.fixture
def at_work(chromium, live_server, campaign) -> Iterator[Callable[..., Page]]:
    contexts, complaints, underway = [], [], set()

    def at_work(viewport: dict[str, int], **values) -> Page:
        user = make_user()
        _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
        join_by_invitation(token=token, person=person_of_user(user=user, now=timezone.now()), now=timezone.now())
        client = Client()
        client.force_login(user)
        contexts.append(
            chromium.new_context(base_url=live_server.url, viewport=viewport, reduced_motion="reduce", **values)
        )
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        contexts[-1].add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: underway.add(request))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: underway.discard(request))
        page.goto(f"/annotate/{campaign.slug}/item")
        return page

    yield at_work
    for context in contexts:
        # What is still asked for would hold tables that the next test empties.
        context.set_offline(False)
        for _ in range(25):
            if underway:
                context.pages[0].wait_for_timeout(20)
        context.close()
    # Chromium reports every refused form, and every request without a network, as a resource that failed.
    expected = re.compile("status of (403|422|409|410|503)|ERR_INTERNET_DISCONNECTED")
    assert [text for text in complaints if not expected.search(text)] == []


def picture(page: Page, name: str) -> None:
    """For somebody to look at, where a folder is named for it."""
    if folder := os.environ.get("CARDINAL_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


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


def submit(page: Page) -> None:
    """And wait for another item."""
    shown = page.locator("[data-work]").get_attribute("data-assignment")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(f"[data-work]:not([data-assignment='{shown}'])")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_one_item_after_another_without_a_reload(at_work, viewport):
    page = at_work(viewport)
    picture(page, f"work-item-{viewport['width']}")
    # All of them at once: an annotator knows the questions, and not all begin with a button.
    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    assert page.locator("[data-question=why]").is_hidden()
    page.evaluate("window.notReloaded = true")
    seen = [prompt_of(page)]
    for times in (1, 2):
        prefetched(page, times)
        choose(page, "preference", "a")
        page.get_by_label("Why?").fill("It says why.")
        picture(page, f"work-answered-{viewport['width']}")
        submit(page)
        expect(page.get_by_text("Stored.")).to_be_visible()
        seen.append(prompt_of(page))
    assert len(set(seen)) == 3
    assert page.evaluate("window.notReloaded")
    assert Judgment.objects.filter(preference="a").count() == 2
    picture(page, f"work-stored-{viewport['width']}")
    page.get_by_role("link", name="Undo").click()
    expect(page.get_by_role("heading", name="Your answer")).to_be_visible()
    assert page.get_by_label("Why?").input_value() == "It says why."


def test_by_keys_alone(at_work):
    page = at_work(DESK)
    prefetched(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("No difference")
    picture(page, "work-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("2")
    page.keyboard.press("Tab")
    page.get_by_label("Why?").focus()
    page.keyboard.type("Shorter.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Stored.")).to_be_visible()
    judgment = Judgment.objects.get()
    assert (judgment.preference, judgment.strength) == ("b", -2)


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


def test_two_tabs_lose_nothing(at_work, campaign):
    first = at_work(DESK)
    second = first.context.new_page()
    second.goto(f"/annotate/{campaign.slug}/item")
    assert prompt_of(first) == prompt_of(second)
    for tab, words in ((first, "From the first tab"), (second, "From the second tab")):
        choose(tab, "preference", "a")
        tab.get_by_label("Why?").fill(words)
        tab.wait_for_timeout(1600)
    expect(second.get_by_text("was changed in another tab")).to_be_visible()
    expect(second.locator("[data-notices]")).to_contain_text("From the first tab")
    assert second.get_by_label("Why?").input_value() == "From the second tab"
    assert Draft.objects.get().version == 1


def test_without_a_network_answers_wait_and_are_sent_once(at_work):
    page = at_work(PHONE)
    prefetched(page)
    before = prompt_of(page)
    choose(page, "preference", "tie")
    page.context.set_offline(True)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("You are offline")).to_be_visible()
    assert prompt_of(page) != before
    assert Judgment.objects.count() == 0
    picture(page, "work-offline-390")
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.get_by_text("You are offline")).to_be_hidden()
    assert [each.preference for each in Judgment.objects.all()] == ["tie"]
    assert page.evaluate("localStorage.getItem('cardinal-answers')") is None


def test_an_answer_that_waited_too_long_is_not_dropped_in_silence(at_work):
    page = at_work(DESK)
    prefetched(page)
    choose(page, "preference", "tie")
    page.context.set_offline(True)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("You are offline")).to_be_visible()
    Assignment.objects.update(lease_expires_at=timezone.now())
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.get_by_text("could not be stored")).to_be_visible()
    assert Judgment.objects.count() == 0


def test_an_answer_waits_for_whoever_has_to_sign_in_again(at_work, campaign):
    page = at_work(DESK)
    prefetched(page)
    choose(page, "preference", "tie")
    cookies = page.context.cookies()
    page.context.set_offline(True)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("You are offline")).to_be_visible()
    page.context.clear_cookies()
    page.context.set_offline(False)
    with page.expect_response(lambda response: "/items/" in response.url):
        page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(200)
    assert "tie" in page.evaluate("localStorage.getItem('cardinal-answers')")
    assert Judgment.objects.count() == 0
    page.context.add_cookies([cookie for cookie in cookies if cookie["name"] == settings.SESSION_COOKIE_NAME])
    with page.expect_response(lambda response: "/items/" in response.url):
        page.goto(f"/annotate/{campaign.slug}/item")
    page.wait_for_function("() => localStorage.getItem('cardinal-answers') === null")
    assert [each.preference for each in Judgment.objects.all()] == ["tie"]


def test_a_double_click_is_one_answer(at_work):
    page = at_work(DESK)
    prefetched(page)
    choose(page, "preference", "tie")
    page.get_by_role("button", name="Submit").dblclick()
    expect(page.get_by_text("Stored.")).to_be_visible()
    assert Judgment.objects.count() == 1


def test_the_back_button_after_an_answer_does_not_answer_again(at_work, campaign):
    page = at_work(DESK)
    choose(page, "preference", "tie")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Stored.")).to_be_visible()
    page.goto(f"/annotate/{campaign.slug}/history")
    page.go_back()
    assert Assignment.objects.filter(state="submitted").count() == 1
    assert page.locator("[data-answer]").count() == 1


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
            picture(page, f"work{address.replace('/', '-')}-{viewport['width']}-{scheme}")
        results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
