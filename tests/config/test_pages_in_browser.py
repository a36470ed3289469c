"""What base.html, the stylesheet and cardinal.js promise, in a real browser."""

from datetime import UTC, datetime

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from playwright.sync_api import expect

from config import pages
from tests.browser import DESK, NARROWEST, PHONE, check_axe

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESSES = ["/trial", "/about", "/privacy", "/terms", "/account/login/", "/nothing-here"]

SOURCE = """{% extends "base.html" %}{% block title %}Trial{% endblock %}{% block content %}
<h1>Trial</h1>
{% include "components/time.html" with moment=moment %}
<button class="button" type="button" hx-get="/refused" hx-target="#answer">Refused</button>
<button class="button" type="button" hx-get="/busy" hx-target="#answer">Busy</button>
<button class="button" type="button" hx-get="/gone" hx-target="#answer">Gone</button>
<div id="answer">before</div>
<label class="field__label" for="said">Said</label><input class="input" id="said">
{% include "components/choice.html" with legend="Which?" name="preference" options=options variant="grid" %}
{% include "components/hotkeys_toggle.html" %}
<div class="prose">
  <pre>{{ long }}</pre><p>{{ long }}</p><table><tr><th>{{ long }}</th><td>{{ long }}</td></tr></table>
</div>
<form class="votebar"><div class="votebar__inner"><div class="ballot">
  {% for name in names %}
  <div class="ballot__question">{% include "components/choice.html" with legend=name options=options %}</div>
  {% endfor %}
</div></div><div class="votebar__actions"><button class="button" type="submit">Vote</button></div></form>
{% endblock %}"""
OPTIONS = [{"value": "a", "label": "A is better", "hotkey": "a"}, {"value": "b", "label": "B is better", "hotkey": "b"}]


def trial(request: HttpRequest) -> HttpResponse:
    context = {
        "moment": datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
        "options": OPTIONS,
        "names": ["First", "Second"],
        "long": "longword" * 60,
    }
    return HttpResponse(engines["django"].from_string(SOURCE).render(context, request))


def refused(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>That number is too large.</p><script>window.ran = true</script>", status=422)


def busy(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Try again in 20 seconds.", status=429, content_type="text/plain")


urlpatterns = [
    path("trial", trial),
    path("refused", refused),
    path("busy", busy),
    path("leaderboard", pages.about, name="leaderboard"),
    path("", include("config.urls")),
]


@pytest.fixture
def pages_of() -> str:
    return __name__


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"])
def test_no_page_has_a_fault_that_axe_finds(open_page, viewport, scheme):
    page = open_page("/trial", viewport, color_scheme=scheme)
    for address in ADDRESSES:
        page.goto(address)
        check_axe(page, address)


@pytest.mark.parametrize("viewport", [NARROWEST, PHONE, DESK], ids=["320", "390", "1440"])
def test_nothing_is_wider_than_the_window(open_page, viewport):
    page = open_page("/trial", viewport)
    widths = {}
    for address in ADDRESSES:
        page.goto(address)
        widths[address] = page.evaluate("document.documentElement.scrollWidth")
    assert widths == dict.fromkeys(ADDRESSES, viewport["width"])


def test_what_is_touched_on_a_phone_is_at_least_44_pixels_high(open_page):
    page = open_page("/trial", PHONE)
    for address in ADDRESSES:
        page.goto(address)
        low = page.evaluate(
            """[...document.querySelectorAll('header a, footer a, button, summary, input, select, .button')]
            .filter(element => element.checkVisibility() && element.type !== 'hidden')
            .map(element => (element.closest('label') || element))
            .filter(element => element.getBoundingClientRect().height < 44)
            .map(element => element.outerHTML)"""
        )
        assert low == []


def test_a_chosen_theme_stays_and_choosing_the_systems_forgets_it(open_page):
    page = open_page("/about", color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    stored = "localStorage.getItem('cardinal-theme')"
    light = page.evaluate(ground)
    toggle = page.get_by_role("button", name="Switch between light and dark")
    toggle.click()
    page.reload()
    dark = page.evaluate(ground)
    assert (page.evaluate(stored), dark == light) == ("dark", False)
    toggle.click()
    page.reload()
    assert (page.evaluate(stored), page.evaluate(ground)) == (None, light)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == dark


def test_times_are_shown_in_the_readers_zone(open_page):
    page = open_page("/trial", timezone_id="Asia/Tokyo", locale="en-US")
    time = page.locator("main time")
    expect(time).to_have_text("Feb 1, 2026, 8:30 AM")
    assert time.get_attribute("datetime") == "2026-01-31T23:30:00+00:00"


def test_times_are_shown_in_utc_without_script(open_page):
    page = open_page("/trial", java_script_enabled=False)
    expect(page.locator("main time")).to_have_text("31 Jan 2026, 23:30 UTC")
    expect(page.locator("[data-theme-toggle]")).to_be_hidden()


def test_a_refused_form_is_shown_and_brings_no_script(open_page):
    page = open_page("/trial")
    page.get_by_role("button", name="Refused").click()
    expect(page.locator("#answer")).to_have_text("That number is too large.")
    assert page.evaluate("window.ran") is None


def test_a_failed_request_is_told_and_leaves_the_page_as_it_was(open_page):
    page = open_page("/trial")
    page.get_by_role("button", name="Busy").click()
    expect(page.get_by_role("alert")).to_have_text("Try again in 20 seconds.")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Gone").click()
    expect(page.get_by_role("alert")).to_have_text("That is no longer there. Reload the page.")
    expect(page.locator("#answer")).to_have_text("before")


def test_a_key_chooses_unless_somebody_types_or_has_switched_keys_off(open_page):
    page = open_page("/trial")
    which = page.get_by_role("group", name="Which?")
    a, b = which.get_by_label("A is better"), which.get_by_label("B is better")
    assert not a.is_checked()
    assert not b.is_checked()
    page.get_by_label("Said").press("a")
    assert not a.is_checked()
    page.locator("h1").click()
    page.keyboard.press("a")
    assert a.is_checked()
    page.get_by_label("Answer by key").uncheck()
    page.reload()
    page.keyboard.press("b")
    assert not b.is_checked()


def test_a_vote_bar_asks_on_only_once_something_is_chosen(open_page):
    page = open_page("/trial", PHONE)
    first, second = page.get_by_role("group", name="First"), page.get_by_role("group", name="Second")
    vote = page.get_by_role("button", name="Vote", exact=True)
    expect(first).to_be_visible()
    expect(second).to_be_hidden()
    expect(vote).to_be_hidden()
    first.get_by_label("A is better").check()
    expect(second).to_be_visible()
    # It unfolds at the page's end, and no longer covers what is judged.
    expect(vote).to_be_visible()
    assert page.locator(".votebar").evaluate("bar => getComputedStyle(bar).position") == "static"


def test_the_keyboard_skips_to_the_content_and_reaches_what_scrolls(open_page):
    page = open_page("/trial")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.locator(".prose pre").get_attribute("tabindex") == "0"
