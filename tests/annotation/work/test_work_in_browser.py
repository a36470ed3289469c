"""An annotator at work in a real browser: by keys alone, on a phone, in two tabs, and without a network."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.use_cases.create_person import person_of_user
from annotation.models import Assignment, Campaign, Draft, Judgment
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from tests.annotation.worth.bidding import made_ready
from tests.browser import DESK, PHONE, REFUSED, look, shoot
from tests.factories import AMOUNT, PREFERENCE, RATIONALE, make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "Light of every colour is scattered by air, and blue the most.\n\n" * 8
ASKED_WHY = RATIONALE | {"required": True, "condition": {"question": "preference", "values": ["a", "b"]}}


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE, ASKED_WHY, AMOUNT], name="Blue skies")
    for number in range(1, 5):
        make_item(campaign, prompt=f"Why is the sky blue, {number}?", texts=(LONG, "Because air scatters blue light."))
    return campaign


@pytest.fixture
def expected_complaints() -> str:
    return f"{REFUSED}|status of 503|ERR_INTERNET_DISCONNECTED"


@pytest.fixture
def at_work(open_page, campaign) -> Callable[..., Page]:
    """Opens an item for somebody new."""

    def at_work(viewport: dict[str, int], **values) -> Page:
        user = make_user()
        _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
        person = person_of_user(user=user, now=timezone.now())
        made_ready(join_by_invitation(token=token, person=person, now=timezone.now()), campaign)
        address = f"/annotate/{campaign.slug}/item"
        return open_page(address, viewport, user=user, reduced_motion="reduce", **values)

    return at_work


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
        expect(first.locator("[data-saved-state]")).to_have_text("Saved")
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
    shoot(page, "work-offline")
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
        look(page, f"work{address.replace('/', '-')}-{scheme}")
