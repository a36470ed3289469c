"""A real browser for tests: one Chromium for all browser tests that follow each other, and a fresh context for each.

A test asks for `open_page`; its module says by fixtures what is special about it: `signed_in`, `site_address`,
`pages_of` (addresses of its own) and `expected_complaints`.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from config.launch.browser import ensure_browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# A machine that runs everything at once is slow; what never comes is still found.
expect.set_options(timeout=15_000)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
NARROWEST = {"width": 320, "height": 640}
# Every rule of WCAG 2.2 AA, and what axe holds for good practice besides.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Chromium reports every refused request as a resource that failed, and htmx repeats it; a 4xx is an answer. And htmx
# reports what a page still asked for when it was left.
REFUSED = (
    r"^Failed to load resource: the server responded with a status of 4\d\d |^Response Status Error Code 4\d\d from "
    r"|^htmx:(afterRequest|sendError|sendAbort)\b"
)


class Chromium:
    """Started for the first test that wants it. While it is open its thread stays inside Playwright's event loop, where
    nothing asynchronous can be run, so it is closed before the next test that does not want it.
    """

    def __init__(self) -> None:
        self.playwright: Playwright | None = None
        self.browser: Browser | None = None

    def open(self) -> Browser:
        if self.playwright is None or self.browser is None:
            self.playwright = sync_playwright().start()
            self.browser = self.playwright.chromium.launch(executable_path=ensure_browser(), args=FLAGS)
        return self.browser

    def close(self) -> None:
        if self.browser is not None:
            self.browser.close()
        if self.playwright is not None:
            self.playwright.stop()
        self.playwright = self.browser = None


CHROMIUM = Chromium()


def wants_browser(item: pytest.Item) -> bool:
    return "chromium" in getattr(item, "fixturenames", ())


@pytest.hookimpl(tryfirst=True)  # before --quick leaves them out and xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser tests of one folder stay in one process, so that they share its browser. One that waited in vain has
    a second try, and both are told.
    """
    for item in items:
        if wants_browser(item):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))
            if not item.get_closest_marker("xdist_group") and not item.get_closest_marker("worker"):
                item.add_marker(pytest.mark.xdist_group(f"browser-{item.path.parent.name}"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if not wants_browser(item):
        CHROMIUM.close()


def pytest_sessionfinish() -> None:
    CHROMIUM.close()


@pytest.fixture
def chromium() -> Browser:
    """The open browser. A context of it is the test's to make and to close; `open_page` does both."""
    return CHROMIUM.open()


@pytest.fixture
def site_address(live_server) -> str:
    return live_server.url


@pytest.fixture
def pages_of() -> str | None:
    """The module whose urlpatterns are served instead of the site's."""
    return None


@pytest.fixture
def signed_in():
    """The user who looks at the pages; None is nobody."""
    return None


@pytest.fixture
def expected_complaints() -> str:
    """What the browser may say in its console without the test's failing, as a regular expression."""
    return REFUSED


class Visits:
    """The contexts that a test has opened, what the browser complained about, and what it still asks for."""

    def __init__(self) -> None:
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.underway: set[object] = set()
        self.leaving = False

    def listen(self, page: Page) -> None:
        page.on("console", lambda message: self.hear(message.text))
        page.on("pageerror", lambda error: self.hear(f"Error: {error}"))
        page.on("request", lambda request: self.underway.add(request))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: self.underway.discard(request))

    def hear(self, text: str) -> None:
        """What a page says while it is taken away from under its own requests is no complaint."""
        if not self.leaving:
            self.complaints.append(text)

    def close(self) -> None:
        for context in self.contexts:
            # What is still asked for would hold tables that the next test empties. A stream has no end.
            context.set_offline(False)
            for _ in range(25):
                if context.pages and any(request.resource_type != "eventsource" for request in self.underway):
                    context.pages[0].wait_for_timeout(20)
        self.leaving = True
        for context in self.contexts:
            context.close()


@pytest.fixture
def open_page(
    chromium, site_address, pages_of, signed_in, expected_complaints, settings, transactional_db
) -> Iterator[Callable[..., Page]]:
    """Opens an address in a context of its own, for whoever is signed in; at the end nothing may have gone wrong in
    the browser: no script's error, nothing that the page's policy refuses.
    """
    if pages_of is not None:
        settings.ROOT_URLCONF = pages_of
    visits = Visits()

    def open_page(address: str | None = None, viewport: dict[str, int] = DESK, *, user=None, **context) -> Page:
        visits.contexts.append(chromium.new_context(base_url=site_address, viewport=viewport, **context))
        who = user or signed_in
        if who is not None:
            visits.contexts[-1].add_cookies([session_cookie(who, site_address)])
        page = visits.contexts[-1].new_page()
        page.set_default_timeout(15_000)
        visits.listen(page)
        if address is not None:
            page.goto(address)
        return page

    yield open_page
    visits.close()
    assert [text for text in visits.complaints if not re.search(expected_complaints, text)] == []


def session_cookie(user, address: str) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": address}


def hearing(page: Page) -> Page:
    """The page that a link or a key led to, once its scripts run: a key pressed before goes nowhere."""
    page.wait_for_load_state()
    return page


def shoot(page: Page, name: str) -> None:
    """A picture for a person to look at, where CARDINAL_SCREENSHOTS names a folder."""
    if folder := os.environ.get("CARDINAL_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}-{page.viewport_size['width']}.png", full_page=True)


def check_axe(page: Page, name: str = "") -> int:
    """No fault that axe finds; returns, and prints, how many elements it looked at."""
    found = Axe().run(hearing(page), options={"runOnly": RULES}).response
    looked_at = {
        str(node["target"]) for kind in ("passes", "violations") for each in found[kind] for node in each["nodes"]
    }
    print(f"axe: {name or page.url} at {page.viewport_size['width']} px: {len(looked_at)} elements")
    faults = [(each["id"], node["html"]) for each in found["violations"] for node in each["nodes"]]
    assert faults == [], f"{name or page.url} at {page.viewport_size['width']} px"
    assert looked_at
    return len(looked_at)


def check_fits(page: Page, name: str = "") -> None:
    """Nothing reaches beyond the window's sides."""
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"], name or page.url


def look(page: Page, name: str) -> None:
    """A picture for who asked for one; nothing wider than the window, nothing that axe finds. A link that was just
    followed may have brought no more than the page's head.
    """
    hearing(page)
    shoot(page, name)
    check_fits(page, name)
    check_axe(page, name)
