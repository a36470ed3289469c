"""Thumbs, labels, context, confidence, ratings and rankings in a real browser: by keys, by touch, without script."""

import json
import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.utils.html import format_html
from playwright.sync_api import Locator, Page, expect

from annotation.forms import JudgmentForm
from annotation.questions import Asked, Condition, Situation
from tests.browser import DESK, PHONE, check_axe

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REASONS = ["Names its source", "Right", "Too long", "Hurts somebody"]
BALLOTS = {
    "one": (
        1,
        [
            Asked("thumb", "thumbs"),
            Asked("reasons", "labels", "What is wrong?", settings={"options": REASONS, "least": 0}),
            Asked("role", "context", settings={"own": "allowed"}),
            Asked("sure", "confidence", required=False),
            Asked("why", "rationale", "Which source?", condition=Condition("reasons", ("names-its-source",))),
        ],
    ),
    "four": (
        4,
        [
            Asked("stars", "rating", settings={"points": 11, "first": 0, "low": "Useless", "high": "Perfect"}),
            Asked(
                "sides",
                "rating",
                "By attribute",
                required=False,
                settings={"attributes": ["Correctness", "Style"], "to_ranking": "no", "low": "Poor", "high": "Good"},
            ),
            Asked("line", "rating", "From 0 to 100?", required=False, settings={"scale": "line", "to_ranking": "no"}),
            Asked("reasons", "labels", required=False, settings={"options": REASONS, "mode": "response"}),
        ],
    ),
    "order": (4, [Asked("order", "ranking")]),
    "strict": (3, [Asked("order", "ranking", settings={"ties": "off"})]),
    "best": (4, [Asked("order", "ranking", "Best and worst?", settings={"mode": "best_worst"})]),
}
# Not all can stand in one instrument; here they are only to be looked at.
BALLOTS["all"] = (
    4,
    [
        *BALLOTS["four"][1],
        *BALLOTS["one"][1][2:4],
        *BALLOTS["order"][1],
        Asked("best", "ranking", settings={"mode": "best_worst"}),
    ],
)
SOURCE = """{% extends "base.html" %}{% load static %}
{% block title %}Ballot{% endblock %}
{% block head %}<link rel="stylesheet" href="{% static 'annotation/ballot.css' %}">
{% for asset in form.assets %}{% if ".css" in asset %}<link rel="stylesheet" href="{% static asset %}">{% endif %}
{% endfor %}{% endblock %}
{% block scripts %}
<script src="{% static 'annotation/ballot.js' %}" defer nonce="{{ csp_nonce }}"></script>
{% for asset in form.assets %}{% if ".js" in asset %}<script src="{% static asset %}" defer nonce="{{ csp_nonce }}">
</script>{% endif %}{% endfor %}{% endblock %}
{% block content %}
<h1>Ballot</h1>
<form method="post" action="{{ request.path }}" hx-post="{{ request.path }}"
  hx-target="#main" hx-select="#main" hx-swap="outerHTML">
  {% csrf_token %}{% include "questions/ballot.html" %}
  <p class="form-actions"><button class="button button--primary" type="submit">Vote</button></p>
</form>
{% endblock %}"""


def ballot(request: HttpRequest, name: str) -> HttpResponse:
    responses, asked = BALLOTS[name]
    form = JudgmentForm(asked, Situation(responses=responses, currency="USD"), request.POST or None)
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


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def places(page: Page) -> list[str]:
    return page.locator("[data-ranking-place]").evaluate_all("selects => selects.map(select => select.value)")


def grip(page: Page, letter: str) -> Locator:
    return page.get_by_role("button", name=re.compile(rf"^(–|\d) ?Response {letter}$"))


def said(page: Page) -> Locator:
    return page.locator("[data-ranking-says]")


def tops(page: Page, name: str) -> list[int]:
    """How high the inputs of one group stand: as many different ones as it has lines."""
    boxes = page.locator(f'input[name="{name}"]').evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    return [round(top) for top in boxes]


def test_one_response_is_judged_with_keys_alone(open_page):
    page = open_page("/ballot/one")
    press(page, "d", "Tab", "Space", "Tab", "Tab", "Space", "Tab", "Tab")
    # Out of the labels into the contexts, and to the last of them, which asks for words.
    press(page, "Tab", "ArrowRight", "ArrowRight", "Tab")
    page.keyboard.type("up and down for my pupils")
    press(page, "Tab", "Space", "ArrowRight", "Tab")
    page.keyboard.type("A book.")
    press(page, "Tab", "Enter")
    assert taken(page) == {
        "thumb": False,
        "reasons": ["Names its source", "Too long"],
        "role": {"context": "own", "own": "up and down for my pupils"},
        "sure": 2,
        "why": "A book.",
    }


def test_none_of_these_and_a_label_exclude_each_other_and_what_hangs_on_them_follows(open_page):
    page = open_page("/ballot/one")
    boxes, why = page.get_by_role("checkbox"), page.get_by_label("Which source?")
    boxes.nth(0).check()
    expect(why).to_be_visible()
    page.get_by_label("None of these").check()
    expect(why).to_be_hidden()
    assert [box.is_checked() for box in boxes.all()] == [False, False, False, False, True]
    boxes.nth(1).check()
    expect(page.get_by_label("None of these")).not_to_be_checked()


def test_without_script_labels_that_contradict_each_other_are_refused_where_they_stand(open_page):
    page = open_page("/ballot/one", java_script_enabled=False)
    page.get_by_label("Right").check()
    page.get_by_label("None of these").check()
    vote(page)
    group = page.get_by_role("group", name="What is wrong?")
    expect(group).to_have_accessible_description(re.compile("Choose labels, or that none of them holds."))
    expect(page.get_by_label("Right")).to_be_checked()


def test_without_script_own_words_are_asked_for_only_after_their_button(open_page):
    page = open_page("/ballot/one", java_script_enabled=False)
    words = page.get_by_label("What do you judge for, in your own words?")
    expect(words).to_be_hidden()
    page.get_by_label("Another, in my own words").check()
    expect(words).to_be_visible()
    page.get_by_label("For everyday use").check()
    expect(words).to_be_hidden()


def test_four_responses_are_rated_with_keys_alone(open_page):
    page = open_page("/ballot/four")
    page.locator('input[name="stars.a"]').first.focus()
    for level in (0, 3, 7, 10):
        press(page, "Space", *["ArrowRight"] * level, "Tab")
    # Past the attributes, each response of which is one stop.
    press(page, *["Tab"] * 8)
    for typed in ("0", "33", "66", "100"):
        page.keyboard.type(typed)
        press(page, "Tab")
    press(page, "Space")
    vote(page)
    assert taken(page) == {
        "stars": {"overall": [0, 3, 7, 10]},
        "sides": None,
        "line": {"overall": [0, 33, 66, 100]},
        "reasons": [["Names its source"], None, None, None],
    }


def test_a_rating_that_is_missing_or_off_its_scale_is_refused_where_it_stands(open_page):
    page = open_page("/ballot/four", java_script_enabled=False)
    for letter in "abd":
        page.locator(f'input[name="stars.{letter}"][value="5"]').check()
    page.locator('[name="line.b"]').fill("101")
    vote(page)
    group = page.locator("fieldset[aria-invalid=true]")
    expect(group).to_have_accessible_name("Response C")
    expect(group).to_have_accessible_description(re.compile("0: Useless 10: Perfect.*Rate response C."))
    expect(page.locator('[name="line.b"]')).to_have_accessible_description(
        "0 to 100 Give a whole number from 0 to 100."
    )
    expect(page.locator('[name="line.b"]')).to_have_value("101")


def test_a_scale_has_the_same_levels_on_every_device(open_page):
    found = {}
    for width in (390, 1440):
        page = open_page("/ballot/four", {"width": width, "height": 900})
        levels = page.locator('input[name="stars.a"]').evaluate_all("all => all.map(one => one.value)")
        found[width] = (levels, len(set(tops(page, "stars.a"))), len(set(tops(page, "sides.a1"))))
    levels = [str(level) for level in range(11)]
    assert found == {390: (levels, 2, 1), 1440: (levels, 1, 1)}


def test_a_ranking_is_made_with_keys_alone(open_page):
    page = open_page("/ballot/order")
    assert places(page) == ["", "", "", ""]
    grip(page, "C").focus()
    press(page, "Enter")
    expect(said(page)).to_have_text("Response C: rank 1. Not ranked yet: 3.")
    expect(grip(page, "C")).to_be_focused()
    press(page, "Tab", "Tab", "ArrowUp")
    assert places(page) == ["", "2", "1", ""]
    press(page, "ArrowUp")
    assert places(page) == ["", "1", "2", ""]
    grip(page, "D").focus()
    press(page, "Space", "=")
    expect(said(page)).to_have_text("Response D: rank 2, tied with Response C. Not ranked yet: 1.")
    grip(page, "A").focus()
    press(page, "ArrowUp", "Delete")
    expect(said(page)).to_have_text("Response A: not ranked. Not ranked yet: 1.")
    press(page, "ArrowUp", "ArrowDown", "Tab", "Enter")
    assert taken(page) == {"order": [3, 1, 2, 2]}


def test_a_ranking_is_made_with_buttons(open_page):
    page = open_page("/ballot/order", PHONE, has_touch=True, is_mobile=True)
    for letter in "DA":
        grip(page, letter).tap()
    for words in ("Rank Response C next", "Rank Response B next", "Move Response B up", "Move Response A down"):
        page.get_by_role("button", name=words).tap()
    assert places(page) == ["3", "2", "4", "1"]
    page.get_by_role("button", name="Tie Response C with the one above").tap()
    assert places(page) == ["3", "2", "3", "1"]
    # Untied, it follows those it was tied with.
    page.get_by_role("button", name="Untie Response A").tap()
    assert places(page) == ["4", "2", "3", "1"]
    page.get_by_role("button", name="Start over").tap()
    assert places(page) == ["", "", "", ""]


def drag(page: Page, letter: str, to: Locator, height: float) -> None:
    """Drop the row at this share of the height of another element."""
    start, end = grip(page, letter).bounding_box(), to.bounding_box()
    page.mouse.move(start["x"] + 12, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 12, end["y"] + height * end["height"], steps=4)
    page.mouse.up()


def test_a_ranking_is_made_by_dragging(open_page):
    page = open_page("/ballot/order")
    expect(page.get_by_role("group", name="In which order would you put the responses?", exact=True)).to_be_visible()
    drag(page, "B", page.locator("[data-ranking-empty]"), 0.5)
    assert places(page) == ["", "1", "", ""]
    # No press followed the drag, so that this is the first.
    grip(page, "D").press("Enter")
    assert places(page) == ["", "1", "", "2"]
    drag(page, "D", grip(page, "B"), 0.05)
    assert places(page) == ["", "2", "", "1"]
    drag(page, "A", grip(page, "B"), 0.5)
    assert places(page) == ["2", "2", "", "1"]
    drag(page, "C", grip(page, "B"), 1.05)
    assert places(page) == ["2", "2", "3", "1"]
    drag(page, "D", grip(page, "C"), 0.95)
    assert places(page) == ["1", "1", "2", "3"]
    expect(grip(page, "D")).to_be_focused()
    vote(page)
    assert taken(page) == {"order": [1, 1, 2, 3]}


def swipe(page: Page, start: Locator, end: Locator) -> None:
    begin, stop = start.bounding_box(), end.bounding_box()
    x, y, finger = begin["x"] + 10, begin["y"] + begin["height"] / 2, page.context.new_cdp_session(page)
    for kind, height in (("touchStart", y), ("touchMove", y - 9), ("touchMove", stop["y"] + 4), ("touchEnd", None)):
        points = [] if height is None else [{"x": x, "y": height}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_finger_drags_a_row_by_its_handle_and_scrolls_by_the_rest(open_page):
    page = open_page("/ballot/order", PHONE, has_touch=True, is_mobile=True)
    grip(page, "A").tap()
    for letter in "CB":
        swipe(page, grip(page, letter).locator(".ranking__handle"), grip(page, "A"))
    assert places(page) == ["3", "2", "1", ""]
    swipe(page, grip(page, "D").locator("[data-ranking-name]"), grip(page, "A"))
    assert places(page) == ["3", "2", "1", ""]


def test_a_row_is_dragged_out_again_and_a_drag_that_is_broken_off_moves_nothing(open_page):
    page = open_page("/ballot/order")
    grip(page, "A").click()
    grip(page, "B").click()
    drag(page, "A", page.locator("[data-ranking-pool]"), 0.5)
    assert places(page) == ["", "1", "", ""]
    box = grip(page, "C").bounding_box()
    page.mouse.move(box["x"] + 12, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 12, 0, steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert places(page) == ["", "1", "", ""]


def test_where_ties_are_off_nothing_makes_one(open_page):
    page = open_page("/ballot/strict")
    grip(page, "A").click()
    grip(page, "B").click()
    press(page, "=")
    drag(page, "C", grip(page, "B"), 0.45)
    assert places(page) == ["1", "3", "2"]
    assert page.locator('[data-act="tie"]').count() == 0


def test_half_a_ranking_is_refused_and_the_hand_lies_on_what_is_missing(open_page):
    page = open_page("/ballot/order")
    for letter in "ACD":
        grip(page, letter).click()
    vote(page)
    expect(page.get_by_role("alert")).to_have_text("Rank response B too.")
    expect(grip(page, "B")).to_be_focused()
    expect(grip(page, "B")).to_have_accessible_description(re.compile("Rank response B too."))
    assert places(page) == ["1", "", "2", "3"]
    press(page, "Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    vote(page)
    assert taken(page) == {"order": [1, 4, 2, 3]}


def test_a_draft_that_is_put_back_is_shown(open_page):
    page = open_page("/ballot/order")
    page.evaluate("""() => {
        const [a, , c] = document.querySelectorAll("[data-ranking-place]");
        [a.value, c.value] = ["2", "1"];
        c.dispatchEvent(new Event("change", { bubbles: true }));
    }""")
    names = page.locator("[data-ranking-ranked] [data-ranking-name]")
    expect(names).to_have_text(["Response C", "Response A"])


def test_without_script_a_ranking_is_a_number_for_each_response(open_page):
    page = open_page("/ballot/order", java_script_enabled=False)
    for letter, place in zip("ABCD", ("2", "1", "2", ""), strict=True):
        page.get_by_label(f"Response {letter}").select_option(place)
    vote(page)
    last = page.get_by_label("Response D")
    expect(last).to_have_accessible_description(re.compile("Rank response D too."))
    last.select_option("4")
    vote(page)
    assert taken(page) == {"order": [2, 1, 2, 4]}


def test_the_best_and_the_worst_are_chosen_with_keys_alone(open_page):
    page = open_page("/ballot/best")
    page.locator('input[name="order.best"]').first.focus()
    press(page, "Space", "ArrowRight", "Tab", "Space", "ArrowLeft")
    vote(page)
    assert taken(page) == {"order": {"best": "b", "worst": "d"}}


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])
def test_no_type_has_a_fault_that_axe_finds_and_each_fits_its_window_and_every_finger(open_page, viewport, scheme):
    page = open_page("/ballot/all", viewport, color_scheme=scheme)
    vote(page)
    expect(page.get_by_role("alert")).to_have_count(4)
    page.get_by_label("Another, in my own words").check()
    for letter in "BA":
        grip(page, letter).click()
    press(page, "=")
    check_axe(page, "all")
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    small = page.evaluate(
        """[...document.querySelectorAll('[data-ballot] :is(input:not([type=hidden]), button, textarea, select)')]
        .map(element => element.closest('label') || element).filter(element => element.checkVisibility())
        .filter(element => element.getBoundingClientRect().height < 44 || element.getBoundingClientRect().width < 44)
        .map(element => element.outerHTML)"""
    )
    assert small == []
