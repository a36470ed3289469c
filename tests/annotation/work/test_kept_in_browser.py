"""What waits in the browser of an annotator: without a network, in a pause, signed out, in a tab that died."""

from contextlib import suppress

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Error, Page, Route, expect

from annotation.enums import CampaignState
from annotation.models import Assignment, Campaign, Draft, Event, Flag, Judgment
from annotation.use_cases.change_campaign_state import change_campaign_state
from tests.annotation.work.test_work_in_browser import choose, prefetched, prompt_of, without
from tests.browser import DESK, PHONE, REFUSED, check_axe, session_cookie, shoot
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORDS = "Words of my own"


@pytest.fixture
def expected_complaints() -> str:
    return f"{REFUSED}|ERR_INTERNET_DISCONNECTED"


def kept(page: Page, kind: str = "") -> dict[str, str]:
    """What the browser keeps, as anybody who uses it can read it."""
    everything = page.evaluate("Object.fromEntries(Object.entries(localStorage))")
    return {name: value for name, value in everything.items() if name.startswith("cardinal-kept") and kind in name}


def online(page: Page) -> None:
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")


def answer_offline(page: Page) -> None:
    """With the next item there already."""
    prefetched(page)
    choose(page, "preference", "a")
    page.get_by_label("Why?").fill(WORDS)
    page.context.set_offline(True)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Answers that wait to be sent: 1")).to_be_visible()


def moved(campaign: Campaign, to: CampaignState) -> None:
    change_campaign_state(campaign_id=campaign.pk, to=to, actor=None, reason="", now=timezone.now())


def test_answers_wait_in_their_order_and_the_next_item_comes_by_itself(at_work):
    page = at_work(PHONE)
    answer_offline(page)
    expect(page.get_by_text("You are offline")).to_be_in_viewport(ratio=1)
    choose(page, "preference", "a")
    page.get_by_label("Why?").fill("A second one")
    page.get_by_role("button", name="Submit").click()
    # Nothing is left to show: the page says that it waits, and there is no second time to press.
    expect(page.get_by_role("heading", name="Your answer waits")).to_be_focused()
    assert page.get_by_role("button", name="Submit").count() == 0
    check_axe(page)
    shoot(page, "work-waits")
    page.get_by_role("button", name="Change that answer").click()
    expect(page.get_by_text("Answers that wait to be sent: 1")).to_be_visible()
    page.get_by_label("Why?").fill("A second one, edited")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Answers that wait to be sent: 2")).to_be_visible()
    assert len(kept(page, ":answer:")) == 2
    online(page)
    expect(page.get_by_text("Answers that had waited and are stored now: 2")).to_be_visible()
    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    expect(page.get_by_text("You are offline")).to_be_hidden()
    shoot(page, "work-sent")
    assert Judgment.objects.count() == 2
    assert Draft.objects.count() == 2
    assert kept(page) == {}


def test_an_answer_that_waited_too_long_is_told_with_what_was_typed(at_work):
    page = at_work(DESK)
    answer_offline(page)
    Assignment.objects.update(lease_expires_at=timezone.now())
    online(page)
    told = page.get_by_role("alert").filter(has_text="was not stored: the time for its item had run out")
    expect(told).to_be_visible()
    page.reload()
    told.get_by_text("What you typed").click()
    expect(told.get_by_text(WORDS)).to_be_visible()
    shoot(page, "work-refused")
    told.get_by_role("button", name="Discard").click()
    expect(told).to_be_hidden()
    assert (kept(page), Judgment.objects.count()) == ({}, 0)


def test_an_answer_that_comes_in_a_pause_waits_until_it_ends(at_work, campaign):
    page = at_work(DESK)
    answer_offline(page)
    moved(campaign, CampaignState.PAUSED)
    online(page)
    expect(page.get_by_text("A campaign is paused")).to_be_visible()
    assert (Judgment.objects.count(), len(kept(page, ":answer:"))) == (0, 1)
    moved(campaign, CampaignState.RUNNING)
    page.goto("/annotate")
    expect(page.get_by_text("are stored now: 1")).to_be_visible()
    assert (Judgment.objects.count(), kept(page)) == (1, {})


def test_control_an_answer_that_is_not_known_to_be_stored_is_lost_in_a_pause(at_work, campaign):
    page = at_work(DESK)
    without(page, "kept", 'if (refused === "paused") return "paused";', 'if (refused === "paused") return "stored";')
    answer_offline(page)
    moved(campaign, CampaignState.PAUSED)
    online(page)
    page.wait_for_function("() => !Object.keys(localStorage).some(name => name.includes(':answer:'))")
    assert Judgment.objects.count() == 0


def skip_offline(page: Page) -> None:
    page.context.set_offline(True)
    page.get_by_text("Skip this item").click()
    page.get_by_label("Reason to skip").select_option("too_long")
    page.get_by_role("button", name="Skip", exact=True).click()
    expect(page.get_by_text("Skips and reports that wait to be sent: 1")).to_be_visible()


def lose_answers(page: Page) -> list[int]:
    """What gives an item back arrives, and its first answer is lost on the way; returns how often it was sent."""
    sent: list[int] = []

    def lose(route: Route) -> None:
        sent.append(route.fetch(max_redirects=0).status)
        route.abort("internetdisconnected") if len(sent) == 1 else route.fallback()

    page.context.route("**/skip", lose)
    return sent


def skipped() -> int:
    return Event.objects.filter(verb="skipped").count()


def test_skips_and_reports_wait_sealed_and_go_once(at_work):
    page = at_work(PHONE)
    prefetched(page)
    skip_offline(page)
    page.get_by_text("Something is wrong with it").click()
    page.get_by_label("What is wrong").select_option("broken")
    page.get_by_label("In your words").fill(WORDS)
    page.get_by_role("button", name="Report and skip").click()
    expect(page.get_by_role("heading", name="The item is given back when you are online")).to_be_focused()
    expect(page.get_by_text("Skips and reports that wait to be sent: 2")).to_be_visible()
    check_axe(page)
    shoot(page, "work-aside-waits")
    assert (len(kept(page, ":aside:")), WORDS in str(kept(page))) == (2, False)
    page.get_by_role("button", name="Go back to the item").click()
    expect(page.get_by_text("Skips and reports that wait to be sent: 1")).to_be_visible()
    assert page.get_by_label("In your words").input_value() == WORDS
    page.get_by_role("button", name="Report and skip").click()
    expect(page.get_by_text("Skips and reports that wait to be sent: 2")).to_be_visible()
    sent = lose_answers(page)
    online(page)
    expect(page.get_by_text("Skips and reports that had waited and are stored now: 2")).to_be_visible()
    assert (len(sent) > 1, skipped(), Flag.objects.count(), kept(page)) == (True, 2, 1, {})


def test_control_a_skip_that_nothing_knows_again_is_told_to_be_too_late(at_work):
    page = at_work(DESK)
    without(
        page,
        "kept",
        'body.set("csrfmiddlewaretoken", token);',
        'body.set("csrfmiddlewaretoken", token), body.set("key", crypto.randomUUID());',
    )
    prefetched(page)
    skip_offline(page)
    lose_answers(page)
    online(page)
    expect(page.get_by_role("alert").filter(has_text="A skip or a report was not stored")).to_be_visible()
    assert skipped() == 1


def test_submitting_in_a_pause_says_so_and_the_item_comes_back(at_work, campaign):
    page = at_work(DESK)
    choose(page, "preference", "a")
    page.get_by_label("Why?").fill(WORDS)
    moved(campaign, CampaignState.PAUSED)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("This campaign takes a break. What you typed is kept.")).to_be_visible()
    moved(campaign, CampaignState.RUNNING)
    page.goto(f"/annotate/{campaign.slug}/item")
    assert page.get_by_label("Why?").input_value() == WORDS
    moved(campaign, CampaignState.CLOSED)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("closed before this answer came in")).to_be_visible()
    expect(page.get_by_text("This campaign takes no more judgments.")).to_be_visible()
    shoot(page, "work-closed")


def test_what_waits_is_its_authors_alone(at_work, campaign, site_address):
    page = at_work(DESK)
    answer_offline(page)
    mine = kept(page)
    assert [name.split(":")[2] for name in mine] == ["answer"]
    assert WORDS not in str(mine)
    own = page.context.cookies()
    page.goto("about:blank")  # before the network is back: the page of who wrote it would send
    page.context.set_offline(False)
    page.context.clear_cookies()
    page.context.add_cookies([session_cookie(make_user(), site_address)])
    with page.expect_response("**/annotate/own/key"):
        page.goto("/annotate")
    page.wait_for_load_state("networkidle")
    assert page.locator("[data-kept] *").count() == 0
    assert (kept(page), Judgment.objects.count()) == (mine, 0)
    page.context.clear_cookies()
    page.context.add_cookies([cookie for cookie in own if cookie["name"] == settings.SESSION_COOKIE_NAME])
    page.goto("/annotate")
    expect(page.get_by_text("are stored now: 1")).to_be_visible()
    shoot(page, "work-sent-from-home")
    assert (Judgment.objects.count(), kept(page)) == (1, {})


def test_control_unsealed_words_are_readable_to_whoever_uses_the_browser_next(at_work):
    page = at_work(DESK)
    without(page, "kept", "sealed: text(sealed)", "sealed: JSON.stringify(value)")
    answer_offline(page)
    assert WORDS in str(kept(page)).replace("+", " ")


def test_signed_out_and_in_again_in_another_tab_nothing_typed_is_lost(at_work, campaign, site_address):
    page = at_work(DESK)
    prefetched(page)
    user = Assignment.objects.first().respondent.person.user
    before = prompt_of(page)
    page.context.clear_cookies()
    choose(page, "preference", "a")
    page.get_by_label("Why?").fill("Typed while signed out")
    expect(page.get_by_text("You are signed out")).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("Kept on this device, not sent yet")).to_be_visible()
    shoot(page, "work-signed-out")
    page.context.add_cookies([session_cookie(user, site_address)])
    page.get_by_label("Why?").fill(WORDS)
    expect(page.locator("[data-saved-state]")).to_have_text("Saved")
    expect(page.get_by_text("You are signed out")).to_be_hidden()
    # Another token once more, at the moment of submitting.
    page.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Stored.")).to_be_visible()
    assert prompt_of(page) != before
    assert (Judgment.objects.count(), kept(page)) == (1, {})


def test_an_answer_waits_for_whoever_has_to_sign_in_again(at_work, site_address):
    page = at_work(DESK)
    prefetched(page)
    user = Assignment.objects.first().respondent.person.user
    choose(page, "preference", "tie")
    page.context.clear_cookies()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("You are signed out")).to_be_visible()
    expect(page.get_by_text("Answers that wait to be sent: 1")).to_be_visible()
    assert Judgment.objects.count() == 0
    page.context.add_cookies([session_cookie(user, site_address)])
    online(page)
    shown = page.locator("[data-work]").get_attribute("data-assignment")
    expect(page.locator(f"[data-work]:not([data-assignment='{shown}'])")).to_be_visible()
    assert [each.preference for each in Judgment.objects.all()] == ["tie"]


def type_and_die(page: Page, campaign: Campaign) -> Page:
    """Types without a network, loses the tab, and opens the item anew."""
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    choose(page, "preference", "a")
    expect(page.get_by_text("You are offline")).to_be_visible()
    page.get_by_label("Why?").fill(WORDS)
    expect(page.locator("[data-saved-state]")).to_have_text("Kept on this device, not sent yet")
    context = page.context
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")
    page.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(f"/annotate/{campaign.slug}/item")
    return page


def test_what_was_typed_without_a_network_outlives_its_tab(at_work, campaign):
    page = type_and_die(at_work(DESK), campaign)
    expect(page.get_by_label("Why?")).to_have_value(WORDS)
    assert Draft.objects.get().version == 1


def test_control_without_what_the_browser_keeps_it_is_gone_with_the_tab(at_work, campaign):
    page = at_work(DESK)
    without(page, "kept", "localStorage.setItem(name,", "void (name,")
    page = type_and_die(page, campaign)
    page.wait_for_load_state("networkidle")
    assert page.locator("textarea[name=why]").input_value() == ""
    assert Draft.objects.count() == 0


def test_a_draft_that_is_refused_says_why(at_work):
    page = at_work(DESK)
    choose(page, "preference", "a")
    page.get_by_label("Why?").fill("long " * 45_000)
    expect(page.get_by_text("longer than can be stored")).to_be_in_viewport()
    page.get_by_label("Why?").fill("Short")
    expect(page.locator("[data-saved-state]")).to_have_text("Saved")
    expect(page.get_by_text("longer than can be stored")).to_be_hidden()
    Assignment.objects.update(state="expired", ended_at=timezone.now())
    page.get_by_label("Why?").fill("Too late")
    expect(page.get_by_text("The time for this item ran out")).to_be_in_viewport()
    assert page.get_by_label("Why?").input_value() == "Too late"
