"""Marking, steps, rewriting and prices in a real browser: by keys, at both widths, and without script."""

import json
import os
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.utils.html import format_html
from playwright.sync_api import Locator, Page, expect

from annotation.forms import JudgmentForm
from annotation.questions import Asked, Situation
from tests.browser import DESK, PHONE, check_axe, check_fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

A = (
    "1. The sum of 2 and 2 is 4.\n2. Twice four is nine, because 4 + 4 = 9.\n"
    "3. So the answer, 9 \N{GRINNING FACE}, is odd.\n\nI hope that this helps. Ask me for more whenever you like."
)
B = "שתיים ועוד שתיים הן ארבע.\n\nTwice four is eight.\n\n```py\nassert 4 + 4 == 8\n\nprint(8)\n```"
PAIR = Situation(responses=2, currency="USD", texts=(A, B))
BALLOTS = {
    "steps": [Asked("steps", "steps", "Which step is the first that is wrong?")],
    "each": [Asked("each", "steps", "How good is each step?", settings={"mode": "each"})],
    "rewrite": [Asked("better", "rewrite")],
    "spans": [Asked("spans", "spans", settings={"categories": ["fact", "tone"]})],
    "prices": [
        Asked("preference", "preference", settings={"strength": "off"}),
        Asked("list", "amount", settings={"mode": "price_list", "prices": ["0", "0.5", "2"]}),
    ],
    "per_response": [Asked("each_worth", "amount", settings={"mode": "per_response"})],
}
PAID = [
    Asked("preference", "preference", settings={"strength": "off"}),
    Asked("bid", "amount", settings={"mode": "bdm", "incentive": "paid_self"}),
]
# Not all can stand in one instrument; here they are only to be drawn.
BALLOTS["gallery"] = [question for questions in BALLOTS.values() for question in questions]
BALLOTS["bdm"] = PAID
SITUATIONS = {"bdm": replace(PAIR, incentive="paid_self", endowment=Decimal(5))}
SOURCE = """{% extends "base.html" %}{% load static %}
{% block title %}Ballot{% endblock %}
{% block head %}<link rel="stylesheet" href="{% static 'annotation/ballot.css' %}">
{% for asset in form.assets %}{% if asset|slice:"-4:" == ".css" %}<link rel="stylesheet" href="{% static asset %}">
{% endif %}{% endfor %}{% endblock %}
{% block scripts %}
<script src="{% static 'annotation/ballot.js' %}" defer nonce="{{ csp_nonce }}"></script>
{% for asset in form.assets %}{% if asset|slice:"-3:" == ".js" %}
<script src="{% static asset %}" defer nonce="{{ csp_nonce }}"></script>{% endif %}{% endfor %}
{% endblock %}
{% block content %}
<h1>Ballot</h1>
<form method="post" action="{{ request.path }}" hx-post="{{ request.path }}"
  hx-target="#main" hx-select="#main" hx-swap="outerHTML">
  {% csrf_token %}{% include "questions/ballot.html" %}
  <button class="button button--primary" type="submit">Vote</button>
</form>
{% include "components/hotkeys_toggle.html" %}
{% endblock %}"""


def ballot(request: HttpRequest, name: str) -> HttpResponse:
    form = JudgmentForm(BALLOTS[name], SITUATIONS.get(name, PAIR), request.POST or None)
    if form.is_valid():
        return HttpResponse(format_html("<main id=main><pre>{}</pre></main>", json.dumps(form.answers)))
    page = engines["django"].from_string(SOURCE).render({"form": form}, request)
    return HttpResponse(page, status=422 if form.is_bound else 200)


urlpatterns = [path("ballot/<str:name>", ballot), path("", include("config.urls"))]


@pytest.fixture
def pages_of() -> str:
    return __name__


def vote(page: Page) -> None:
    page.get_by_role("button", name="Vote").click()


def taken(page: Page) -> dict:
    page.locator("pre").wait_for()
    return json.loads(page.locator("pre").inner_text())


def keys(page: Page, *presses: str) -> None:
    for press in presses:
        page.keyboard.press(press)


FINGER = """[...document.querySelectorAll('[data-ballot] :is(input:not([type=hidden]), button, textarea, select)')]
    .map(element => element.closest('label') || element).filter(element => element.checkVisibility())
    .filter(element => element.getBoundingClientRect().height < 44).map(element => element.outerHTML)"""


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"])
@pytest.mark.parametrize("name", ["gallery", "bdm"])
def test_all_fit_their_window_and_every_finger_and_axe_finds_nothing(open_page, name, viewport, scheme):
    page = open_page(f"/ballot/{name}", viewport, color_scheme=scheme)
    START[name](page)
    check_axe(page, f"{name}, asked")
    picture(page, f"{viewport['width']}")
    vote(page)
    page.locator("[aria-invalid=true]").first.wait_for()
    check_axe(page, f"{name}, refused")
    picture(page, f"{viewport['width']}-refused")
    check_fits(page, name)
    assert page.evaluate(FINGER) == []


def start_gallery(page: Page) -> None:
    text_of(page, "A").focus()
    keys(page, *["ArrowRight"] * 4, "Enter", "Enter", *["ArrowLeft"] * 4, "Shift+ArrowRight")
    page.get_by_label("to receive B?").fill("0")
    page.get_by_label("to receive B?").blur()
    page.locator('input[name="preference"][value="b"]').check()
    for row, choice in enumerate(("pay", "free", "pay")):
        page.locator(f'input[name="list.b-{row}"][value="{choice}"]').check()


def start_bdm(page: Page) -> None:
    page.locator('input[name="preference"][value="b"]').check()
    page.locator('input[name="bid.b"]').fill("7")


START = {"gallery": start_gallery, "bdm": start_bdm}


def picture(page: Page, name: str) -> None:
    """For whoever wants to look: CARDINAL_SCREENSHOTS names a folder."""
    if folder := os.environ.get("CARDINAL_SCREENSHOTS"):
        for question in page.locator("[data-question]").all():
            asked = question.get_attribute("data-question")
            question.locator("> *").first.screenshot(path=f"{folder}/{asked}-{name}.png")


def first_radio(page: Page, name: str) -> None:
    page.locator(f'input[name="{name}"]').first.focus()


def test_steps_are_chosen_with_keys_alone(open_page):
    page = open_page("/ballot/steps")
    first_radio(page, "steps.a")
    keys(page, "Space", "ArrowDown", "Tab", "Space", "ArrowUp", "Tab", "Enter")
    assert taken(page) == {"steps": [1, "none"]}


def test_every_step_is_graded_with_keys_alone(open_page):
    page = open_page("/ballot/each")
    first_radio(page, "each.a-1")
    for presses in (["Space"], ["Space", "ArrowRight", "ArrowRight"], *[["Space"]] * 5):
        keys(page, *presses, "Tab")
    keys(page, "Enter")
    assert taken(page) == {"each": [["good", "bad", "good", "good"], ["good"] * 3]}


def test_a_better_version_starts_from_a_response_and_never_over_own_words(open_page):
    page = open_page("/ballot/rewrite")
    area, start = page.get_by_label("The better version"), page.get_by_role("button", name="Start from A")
    expect(area).to_have_value("")
    start.focus()
    keys(page, "Enter")
    expect(area).to_be_focused()
    expect(area).to_have_value(A)
    page.keyboard.type("In short: 8. ")
    page.get_by_role("button", name="Start from B").focus()
    keys(page, "Enter")
    expect(area).to_have_value(f"In short: 8. {A}")
    expect(page.get_by_role("button", name="Replace my words with B")).to_be_focused()
    area.focus()
    keys(page, "Tab", "Enter")
    assert taken(page) == {"better": {"of": 0, "text": f"In short: 8. {A}"}}


def marked(page: Page) -> list[tuple]:
    members = ("response", "start", "end", "kind", "severity", "category")
    return [tuple(mark[name] for name in members) for mark in taken(page)["spans"]]


def text_of(page: Page, letter: str) -> Locator:
    return page.get_by_role("textbox", name=f"Response {letter}")


def test_pieces_are_marked_and_taken_back_with_keys_alone(open_page):
    page = open_page("/ballot/spans")
    text_of(page, "A").focus()
    keys(page, "ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowRight")
    expect(page.get_by_role("status").first).to_have_text("Piece: The sum")
    keys(page, "Enter", "Enter")
    expect(page.get_by_role("status").first).to_have_text("Marked: Good")
    expect(text_of(page, "A")).to_be_focused()
    keys(page, "ArrowLeft", "ArrowLeft", "Enter", "Tab", "Tab", "Enter")
    remove = page.get_by_role("button", name="Remove: Wrong, major, like")
    expect(remove).to_be_visible()
    text_of(page, "B").focus()
    keys(page, "ArrowRight", "Enter", "Tab", "Enter")
    page.get_by_role("button", name="Remove: Good, The sum").focus()
    keys(page, "Enter")
    expect(remove).to_be_focused()
    page.get_by_role("button", name="Vote").focus()
    keys(page, "Enter")
    like = A.index("like")
    assert marked(page) == [(0, like, like + 4, "wrong", "major", None), (1, 0, 5, "wrong", "minor", None)]


def test_a_piece_behind_an_emoji_is_marked_with_the_mouse_in_code_points(open_page):
    page = open_page("/ballot/spans")
    page.evaluate(
        """() => {
            const node = document.querySelector("[data-spans-text]").firstChild;
            const start = node.data.indexOf(", is odd") - 1;
            getSelection().setBaseAndExtent(node, start + 3, node, start + 9);
        }"""
    )
    page.get_by_role("combobox", name="Category").first.select_option("fact")
    page.get_by_role("button", name="Wrong, critical").first.click()
    expect(page.get_by_role("checkbox", name="There is nothing to mark")).to_be_hidden()
    painted = page.evaluate("[...CSS.highlights.get('spans-wrong')].map(String)")
    vote(page)
    [(response, start, end, *rest)] = marked(page)
    assert (painted, A[start:end], response, rest) == (["is odd"], "is odd", 0, ["wrong", "critical", "fact"])


def test_marks_are_still_there_after_a_refusal_elsewhere(open_page):
    page = open_page("/ballot/gallery")
    text_of(page, "A").focus()
    keys(page, "ArrowRight", "Enter", "Enter")
    vote(page)
    page.locator("[aria-invalid=true]").first.wait_for()
    expect(page.get_by_role("button", name="Remove: Good, 1")).to_be_visible()
    assert page.evaluate("[...CSS.highlights.get('spans-good')].map(String)") == ["1"]


def test_each_response_is_priced_with_keys_alone(open_page):
    page = open_page("/ballot/per_response")
    page.get_by_label("to receive A?").focus()
    page.keyboard.type("0")
    keys(page, "Tab", "Tab", "ArrowDown", "ArrowUp", "Tab")
    page.keyboard.type("2.50")
    keys(page, "Tab", "Space", "Tab", "Enter")
    assert taken(page)["each_worth"] == [
        {"amount": "0", "against": False, "zero": "no_worth", "keep": None},
        {"amount": "2.50", "against": True, "zero": None, "keep": None},
    ]


def test_a_price_list_is_answered_with_keys_alone_and_asked_back_once(open_page):
    page = open_page("/ballot/prices")
    keys(page, "b")
    first_radio(page, "list.b-0")
    for presses in (["Space"], ["Space", "ArrowRight"], ["Space"]):
        keys(page, *presses, "Tab")
    keys(page, "Enter")
    expect(page.get_by_role("alert")).to_contain_text("Keep that, or change your choices?")
    expect(page.get_by_label("Keep my choices as they were")).to_be_focused()
    keys(page, "Space")
    page.get_by_role("button", name="Vote").focus()
    keys(page, "Enter")
    assert taken(page)["list"] == {"rows": [True, False, True], "first": "b101", "keep": "b101"}


def test_a_bid_is_made_with_keys_alone_and_not_beyond_the_endowment(open_page):
    page = open_page("/ballot/bdm")
    keys(page, "a", "m")
    bid = page.locator('input[name="bid.a"]')
    expect(bid).to_have_accessible_description(re.compile("We give you 5.00 USD.*Your true maximum is best"))
    page.keyboard.type("7")
    keys(page, "Tab", "Enter")
    expect(page.get_by_role("alert")).to_have_text("You have 5.00 USD to pay from. Type that or less.")
    expect(bid).to_be_focused()
    keys(page, "Control+a")
    page.keyboard.type("4,50")
    keys(page, "Tab", "Enter")
    assert taken(page)["bid"] == {"amount": "4,50", "zero": None, "keep": None}


def test_all_are_answered_without_script(open_page):
    page = open_page("/ballot/gallery", PHONE, java_script_enabled=False)
    expect(page.get_by_role("button", name="Start from A")).to_be_hidden()
    check(page, "steps.a", "1")
    for part in ("a-1", "a-2", "a-3", "a-4", "b-1", "b-2"):
        check(page, f"each.{part}", "good")
    page.get_by_label("The better version").fill("Eight.")
    lines = page.get_by_label("Marks, one a line")
    lines.fill("A 3 10 good fact\nB 0 9999 wrong major")
    check(page, "preference", "a")
    expect(page.locator('input[name="list.b-0"]').first).to_be_hidden()
    for row, choice in enumerate(("free", "pay", "free")):
        check(page, f"list.a-{row}", choice)
    page.get_by_label("to receive A?").fill("0")
    page.get_by_label("to receive B?").fill("1")
    vote(page)
    assert page.get_by_role("alert").all_inner_texts() == [
        "Choose the first wrong step of each response, or say that none is.",
        "Say of each step whether it is good, neutral or bad.",
        "Choose which response you improve.",
        f"Mark 2: a piece lies within the text, which has {len(B)} characters, and is not empty.",
        "You would pay a price, and would not pay a lower one. Keep that, or change your choices?",
        "You typed zero. Say what zero means here.",
    ]
    check(page, "steps.b", "none")
    check(page, "each.b-3", "bad")
    check(page, "better.of", "b")
    lines.fill("A 3 10 good fact")
    check(page, "list.a-0", "pay")
    check(page, "each_worth.a-zero", "refuse")
    vote(page)
    answers = taken(page)
    assert (answers["steps"], answers["each"]) == ([1, "none"], [["good"] * 4, ["good", "good", "bad"]])
    assert answers["better"] == {"of": 1, "text": "Eight."}
    members = {"response": 0, "start": 3, "end": 10, "kind": "good", "severity": None, "category": "fact"}
    assert answers["spans"] == [members]
    assert answers["list"] == {"rows": [True, True, False], "first": "a010", "keep": None}
    assert [each["zero"] for each in answers["each_worth"]] == ["refuse", None]


def check(page: Page, name: str, value: str) -> None:
    page.locator(f'input[name="{name}"][value="{value}"]').check()
