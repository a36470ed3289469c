"""The battle's page in a real browser: the form at every width, and what is said while nothing has come yet."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Judgment, JudgmentText
from arena.models import Battle
from arena.web.visitors import COOKIE
from inference_workers.models import Completion, Endpoint
from inference_workers.queries import READY_KEY
from inference_workers.streams import sync_client
from tests.arena.factories import answer, begin, claimed_turn, make_models
from tests.browser import DESK, PHONE, look
from tests.inference_workers.factories import make_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LAPTOP = {"width": 1366, "height": 768}
TOKEN = "cookie-of-a-visitor-in-a-browser"
LONG = "Light of every colour is scattered by air, and blue the most.\n\n" * 15


@pytest.fixture
def open_battle(open_page, site_address) -> Callable[[Battle, dict[str, int]], Page]:
    def open_battle(battle: Battle, viewport: dict[str, int]) -> Page:
        page = open_page(None, viewport, reduced_motion="reduce")
        page.context.add_cookies([{"name": COOKIE, "value": TOKEN, "url": site_address}])
        # Streams are another server's; 204 tells the browser to leave it at that.
        page.route("**/streams/**", lambda route: route.fulfill(status=204))
        page.goto(f"/battles/{battle.pk}")
        return page

    return open_battle


def new_battle(endpoint: Endpoint | None = None) -> Battle:
    sync_client().flushdb()
    make_models(endpoint=endpoint)
    return begin(person_of_visitor(token=TOKEN, now=timezone.now()))


def votable_battle(*, asks_worth: bool = True) -> Battle:
    """With two long answers; half of all battles ask what the better one is worth."""
    while True:
        battle = answer(new_battle(), (LONG, LONG))
        if ("worth" in battle.impression.questions_asked) == asks_worth:
            return battle


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"label.choice__option:has(input[name='{name}'][value='{value}'])").click()


def height_of(page: Page, selector: str) -> float:
    return page.locator(selector).bounding_box()["height"]


def test_on_a_phone_the_folded_bar_leaves_the_answers_most_of_the_window(open_battle):
    page = open_battle(votable_battle(), PHONE)
    assert page.locator("form.votebar").evaluate("each => getComputedStyle(each).position") == "sticky"
    assert height_of(page, "form.votebar") < 0.3 * PHONE["height"]
    expect(page.locator("form.votebar")).to_be_in_viewport(ratio=1)


def test_on_a_phone_the_form_unfolds_at_the_end_of_the_page_with_every_question_in_reach(open_battle):
    battle = votable_battle()
    page = open_battle(battle, PHONE)
    choose(page, "preference", "a")
    expect(page.get_by_text("How much better?")).to_be_in_viewport()
    # Nothing scrolls within the form: the page shows it from its first question to its button.
    inner = page.locator(".votebar__inner")
    assert inner.evaluate("each => each.scrollHeight <= each.clientHeight + 1")
    page.mouse.wheel(0, 5000)
    button = page.get_by_role("button", name="Vote and reveal the models")
    for part in (page.locator("input[name='worth.a']"), button):
        part.scroll_into_view_if_needed()
        expect(part).to_be_in_viewport(ratio=1)
    # Both answers can be read with the whole window for them.
    page.locator("[data-side=b]").first.evaluate("each => each.scrollIntoView({block: 'start', behavior: 'instant'})")
    expect(page.locator("form.votebar")).not_to_be_in_viewport()
    choose(page, "preference.strength", "3")
    page.fill("input[name='worth.a']", "1.50")
    button.click()
    expect(page.locator(".reveal__name")).to_have_count(2)
    assert [(each.preference, each.strength, each.amount_low) for each in Judgment.objects.all()] == [
        ("a", 3, Decimal("1.5"))
    ]


@pytest.mark.parametrize("viewport", [LAPTOP, DESK], ids=["laptop", "desk"])
def test_on_a_desk_the_bar_stays_at_the_foot_and_leaves_half_the_window_when_it_unfolds(open_battle, viewport):
    page = open_battle(votable_battle(), viewport)
    choose(page, "preference", "b")
    assert page.evaluate("scrollY") == 0
    button = page.get_by_role("button", name="Vote and reveal the models")
    expect(button).to_be_in_viewport(ratio=1)
    assert height_of(page, "form.votebar") < 0.5 * viewport["height"]
    # Every question is reached by keyboard, whichever way it scrolls.
    for part in (page.locator("input[name='worth.b']"), page.locator("textarea[name='rationale']")):
        part.focus()
        expect(part).to_be_in_viewport(ratio=1)
    look(page, f"battle-unfolded-{viewport['width']}")
    # Folded it leaves the window to the answers, and keeps what was typed.
    page.fill("textarea[name='rationale']", "It is shorter.")
    page.get_by_label("Fold the questions").check()
    expect(page.locator("textarea[name='rationale']")).to_be_hidden()
    assert height_of(page, "form.votebar") < 0.36 * viewport["height"]
    button.click()
    expect(page.locator(".reveal__name")).to_have_count(2)
    assert JudgmentText.objects.count() == 1


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_refused_vote_says_why_in_view_and_copies_no_style(open_battle, viewport):
    page = open_battle(votable_battle(), viewport)
    # As a browser leaves a text box that somebody has made larger.
    page.locator("#follow-up").evaluate("each => { each.style.height = '90px' }")
    page.evaluate("document.querySelector('form.votebar').requestSubmit()")
    expect(page.get_by_text("Choose A, B, no difference, or that you cannot judge.")).to_be_in_viewport()
    assert page.locator("[style]").count() == 0


def say_of_the_workers(state: str) -> None:
    client = sync_client()
    client.delete(READY_KEY)  # what workers of other tests said
    client.hset(READY_KEY, mapping={"a-model": state})


def test_a_waiting_visitor_reads_that_the_language_models_are_still_loading_and_then_that_they_are_at_work(open_battle):
    battle = new_battle()
    say_of_the_workers("loading")
    Completion.objects.update(created_at=timezone.now() - timedelta(seconds=20))
    page = open_battle(battle, PHONE)
    line = page.locator("#waiting")
    expect(line).to_contain_text("The language models are still loading.")
    expect(line).to_contain_text(re.compile(r"\b2\d s"))
    say_of_the_workers("ready")
    expect(line).to_contain_text("Both models have your prompt.")
    expect(line).not_to_contain_text("loading")


def test_a_visitor_in_a_queue_reads_how_many_battles_come_before(open_battle):
    # At one endpoint: models at others would not wait for the first battle's.
    endpoint = make_endpoint()
    first, second = new_battle(endpoint), new_battle(endpoint)
    say_of_the_workers("ready")
    expect(open_battle(second, PHONE).locator("#waiting")).to_contain_text("1 battle is waiting before yours.")
    claimed_turn(first)
    page = open_battle(second, DESK)
    with page.expect_response("**/waiting"):
        expect(page.locator("#waiting")).not_to_contain_text("before yours")


def test_a_refused_follow_up_says_why_in_view_and_keeps_what_was_written(open_battle):
    page = open_battle(votable_battle(), PHONE)
    page.fill("#follow-up", "x" * 4001)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("4,000 is the most")).to_be_in_viewport()
    expect(page.locator("#follow-up")).to_have_value("x" * 4001)


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_visitor_stops_the_models_with_a_key_and_reads_that_it_is_over(open_battle, viewport):
    battle = new_battle()
    say_of_the_workers("ready")
    Completion.objects.update(created_at=timezone.now() - timedelta(seconds=20))
    page = open_battle(battle, viewport)
    expect(page.locator("#waiting")).to_contain_text("Both models have your prompt.")
    look(page, "battle-writing")
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.get_by_text("The models were stopped before all had answered")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.get_by_text("Why is the sky blue?")).to_be_visible()
    look(page, "battle-stopped")
    assert Battle.objects.get().state == "abandoned"
