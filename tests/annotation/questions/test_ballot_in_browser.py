"""The ballot in a real browser: by keys, by touch, and without script."""

import json
import re
from datetime import datetime
from decimal import Decimal

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.utils.html import format_html
from playwright.sync_api import Locator, Page, expect

from annotation.forms import JudgmentForm
from annotation.questions import Asked, Situation
from tests.browser import DESK, PHONE, check_axe

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAIR = Situation(responses=2, currency="USD", own_median_amount=Decimal("2"))
ASKED = [
    Asked("preference", "preference"),
    Asked("acceptable", "acceptable", required=False, settings={"mode": "neither"}),
    Asked("each", "acceptable", required=False),
    Asked("amount", "amount", required=False),
    Asked("why", "rationale", required=False, settings={"min_length": 5}),
]
# Two questions of one type cannot stand in one instrument; here both are only to be drawn.
BALLOT = [question for question in ASKED if question.name != "each"]
SOURCE = """{% extends "base.html" %}{% load static %}
{% block title %}Ballot{% endblock %}
{% block head %}<link rel="stylesheet" href="{% static 'annotation/ballot.css' %}">{% endblock %}
{% block scripts %}
<script src="{% static 'annotation/ballot.js' %}" defer nonce="{{ csp_nonce }}"></script>
{% endblock %}
{% block content %}
<h1>Ballot</h1>
<form method="post" action="{{ request.path }}"{% if htmx %} hx-post="{{ request.path }}" hx-target="#main"{% endif %}>
  {% csrf_token %}{% include "questions/ballot.html" %}
  <button class="button button--primary" type="submit">Vote</button>
</form>
{% include "components/hotkeys_toggle.html" %}
{% endblock %}"""


def ballot(request: HttpRequest, asked: list[Asked], *, htmx: bool) -> HttpResponse:
    form = JudgmentForm(asked, PAIR, request.POST or None)
    if form.is_valid():
        taken = json.dumps({"answers": form.answers, "process": form.process}, default=str)
        return HttpResponse(format_html("<pre>{}</pre>", taken))
    page = engines["django"].from_string(SOURCE).render({"form": form, "htmx": htmx}, request)
    return HttpResponse(page, status=422 if form.is_bound else 200)


urlpatterns = [
    path("ballot", lambda request: ballot(request, BALLOT, htmx=True)),
    path("plain", lambda request: ballot(request, BALLOT, htmx=False)),
    path("gallery", lambda request: ballot(request, ASKED, htmx=False)),
    path("", include("config.urls")),
]


@pytest.fixture
def pages_of() -> str:
    return __name__


def choose(page: Page, value: str, name: str = "preference") -> None:
    page.locator(f'input[name="{name}"][value="{value}"]').check()


def field(page: Page, name: str) -> Locator:
    return page.locator(f'[name="{name}"]')


def vote(page: Page) -> None:
    page.get_by_role("button", name="Vote").click()


def taken(page: Page) -> dict:
    page.locator("pre").wait_for()
    return json.loads(page.locator("pre").inner_text())


def test_a_whole_ballot_is_cast_with_keys_alone(open_page):
    page = open_page("/ballot")
    for key in ("b", "3", "7", "m"):
        page.keyboard.press(key)
    page.keyboard.type("1,50")
    page.keyboard.press("Tab")
    page.keyboard.type("tab 4 cat")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert taken(page)["answers"] == {
        "preference": {"choice": "b", "strength": 3},
        "acceptable": [False, False],
        "amount": {"amount": "1,50", "zero": None, "keep": None},
        "why": "tab 4 cat",
    }


@pytest.mark.parametrize("script", [True, False], ids=["script", "no_script"])
def test_what_follows_from_an_answer_is_asked_only_after_it(open_page, script):
    page = open_page("/plain", java_script_enabled=script)
    names = ["preference.strength", "amount.a", "amount.b", "amount.zero"]

    def visible() -> list[str]:
        return [name for name in names if field(page, name).first.locator("xpath=..").is_visible()]

    found = {"": visible()}
    for choice in ("a", "b", "tie", "cannot_compare"):
        choose(page, choice)
        found[choice] = visible()
    assert found == {
        "": [],
        "a": ["preference.strength", "amount.a"],
        "b": ["preference.strength", "amount.b"],
        "tie": [],
        "cannot_compare": [],
    }


def test_without_script_a_change_of_mind_leaves_nothing_behind(open_page):
    page = open_page("/plain", java_script_enabled=False)
    choose(page, "a")
    choose(page, "3", "preference.strength")
    field(page, "amount.a").fill("8")
    choose(page, "tie")
    vote(page)
    assert taken(page)["answers"] == {
        "preference": {"choice": "tie", "strength": None},
        "acceptable": None,
        "amount": None,
        "why": None,
    }


def test_without_script_zero_is_asked_about_on_the_second_look(open_page):
    page = open_page("/plain", java_script_enabled=False)
    choose(page, "a")
    field(page, "amount.a").fill("0")
    vote(page)
    expect(page.get_by_role("alert")).to_have_text("You chose one and typed zero. Say what zero means here.")
    choose(page, "refuse", "amount.zero")
    vote(page)
    assert taken(page)["answers"]["amount"] == {"amount": "0", "zero": "refuse", "keep": None}


def test_zero_is_asked_about_once_it_is_typed_and_not_while_cents_are(open_page):
    page = open_page("/ballot")
    choose(page, "b")
    amount, zero = field(page, "amount.b"), page.get_by_role("radiogroup", name="What does zero mean here?")
    amount.press_sequentially("0.50")
    amount.blur()
    expect(zero).to_be_hidden()
    amount.fill("0")
    amount.blur()
    expect(zero).to_be_visible()
    choose(page, "a")
    expect(zero).to_be_hidden()
    choose(page, "b")
    expect(zero).to_be_visible()
    amount.fill("3")
    expect(zero).to_be_hidden()


def test_zero_is_asked_about_where_the_hand_rests(open_page):
    page = open_page("/ballot")
    choose(page, "b")
    field(page, "amount.b").press_sequentially("0")
    expect(page.get_by_role("radiogroup", name="What does zero mean here?")).to_be_visible()
    expect(field(page, "amount.b")).to_be_focused()


def test_a_refusal_is_over_once_the_amount_is_typed_anew(open_page):
    page = open_page("/ballot")
    choose(page, "b")
    amount = field(page, "amount.b")
    amount.fill("a lot")
    vote(page)
    expect(page.get_by_role("alert")).to_contain_text("not an amount")
    amount.press_sequentially("1")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(amount).not_to_have_attribute("aria-invalid", "true")
    expect(amount).to_have_accessible_description(re.compile("Zero is a fine answer"))


def test_an_unusual_amount_is_asked_back_and_kept_by_its_box(open_page):
    page = open_page("/ballot")
    choose(page, "b")
    field(page, "amount.b").fill("50")
    vote(page)
    expect(page.get_by_role("alert")).to_have_text("You typed 50.00 USD, more than ten times your usual amount. Keep?")
    box = page.get_by_label("Keep 50.00 USD")
    expect(box).to_be_focused()
    expect(box).not_to_be_checked()
    box.check()
    vote(page)
    assert taken(page)["answers"]["amount"] == {"amount": "50", "zero": None, "keep": "50.00"}


def test_a_refused_ballot_puts_the_person_at_its_first_error(open_page):
    page = open_page("/ballot")
    vote(page)
    expect(page.locator("fieldset[aria-invalid=true] [role=alert]")).to_have_text(
        "Choose A, B, no difference, or that you cannot judge."
    )
    expect(page.locator('input[name="preference"][value="a"]')).to_be_focused()
    assert page.locator("input:checked:not([data-hotkeys-toggle])").count() == 0


def test_a_refusal_is_over_once_the_missing_choice_is_made(open_page):
    page = open_page("/ballot")
    vote(page)
    expect(page.get_by_role("alert")).to_be_visible()
    choose(page, "a")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("[aria-invalid=true]")).to_have_count(0)


def test_an_optional_answer_can_be_taken_back(open_page):
    page = open_page("/ballot")
    choose(page, "tie")
    group = page.get_by_role("radiogroup", name="Acceptable as it stands?", exact=True)
    clear = group.get_by_role("button", name="Clear")
    expect(clear).to_be_hidden()
    page.keyboard.press("5")
    clear.click()
    expect(clear).to_be_hidden()
    assert page.get_by_role("radiogroup", name="Which answer").get_by_role("button").count() == 0
    vote(page)
    assert taken(page)["answers"]["acceptable"] is None


def test_time_is_measured_from_when_the_ballot_was_first_shown(open_page):
    page = open_page("/ballot")
    page.mouse.move(5, 5)
    page.wait_for_timeout(1500)
    vote(page)
    page.locator("fieldset[aria-invalid=true]").wait_for()
    page.wait_for_timeout(700)
    page.keyboard.press("t")
    page.wait_for_timeout(300)
    vote(page)
    process = taken(page)["process"]
    assert process["device_class"] == "desktop"
    seconds = (moment(process["first_touch_at"]) - moment(process["rendered_at"])).total_seconds()
    # First touched after the wait before the refusal and the one behind it.
    assert 2.2 <= seconds <= 20
    assert 2500 <= process["active_ms"] <= 20_000


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_tab_that_nobody_looks_at_is_not_active_time(open_page):
    page = open_page("/ballot")
    page.evaluate("Object.defineProperty(document, 'visibilityState', {value: 'hidden'})")
    page.wait_for_timeout(2500)
    choose(page, "tie")
    vote(page)
    assert taken(page)["process"]["active_ms"] is None or taken(page)["process"]["active_ms"] < 1000


def test_a_phone_says_so(open_page):
    page = open_page("/ballot", PHONE, has_touch=True, is_mobile=True)
    choose(page, "tie")
    vote(page)
    assert taken(page)["process"]["device_class"] == "phone"


def fill_everything(page: Page) -> None:
    choose(page, "a")
    choose(page, "both", "acceptable")
    field(page, "amount.a").fill("0")
    field(page, "amount.a").blur()


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"])
def test_the_ballot_has_no_fault_that_axe_finds(open_page, viewport, scheme):
    page = open_page("/gallery", viewport, color_scheme=scheme)
    fill_everything(page)
    check_axe(page, "filled")
    field(page, "why").fill("Hm.")
    vote(page)
    page.locator("[aria-invalid=true]").first.wait_for()
    check_axe(page, "refused")


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_ballot_fits_its_window_and_every_finger(open_page, width):
    page = open_page("/gallery", {"width": width, "height": 844})
    fill_everything(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    low = page.evaluate(
        """[...document.querySelectorAll('[data-ballot] :is(input:not([type=hidden]), button, textarea)')]
        .map(element => element.closest('label') || element).filter(element => element.checkVisibility())
        .filter(element => element.getBoundingClientRect().height < 44).map(element => element.outerHTML)"""
    )
    assert low == []


def test_who_answers_before_a_ballot_was_made_ready_is_heard(open_page):
    page = open_page("/ballot")
    # As a swap leaves it for a moment: drawn anew, and no script has been told.
    page.evaluate("""() => {
        const ballot = document.querySelector("[data-ballot]");
        for (const button of ballot.querySelectorAll("[data-clears]")) button.remove();
        ballot.replaceWith(ballot.cloneNode(true));
    }""")
    page.locator("label.choice__option:has(input[name='preference'][value='a'])").click()
    expect(page.locator("input[name='preference'][value='a']")).to_be_checked()
    expect(page.locator("[data-clears]").first).to_be_attached()
    assert page.locator("[data-measure=first_touch_ms]").input_value() != ""
