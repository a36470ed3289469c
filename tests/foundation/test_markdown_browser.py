"""The payloads in a real browser without any policy: what is left must be harmless by itself."""

from pathlib import Path

import django_htmx
import pytest

from foundation.markdown import parse_markdown, plain, render_markdown, sanitize
from foundation.text import clean_text
from tests.foundation.payloads import PAYLOADS

pytestmark = pytest.mark.browser

HTMX = Path(django_htmx.__file__).parent / "static/django_htmx/htmx-2.min.js"
PAGE = """<!doctype html><meta charset=utf-8><script>var hits = 0; function canary() { hits++ }</script>
<script src=/htmx.js></script><body>{}</body>"""
# As a response arrives by SSE: set as innerHTML, handed to htmx, moved, and set again from its own serialization.
SWAP = """html => {
    const box = document.createElement('div');
    document.body.append(box);
    box.innerHTML = html;
    htmx.process(box);
    const again = document.createElement('div');
    document.body.append(again);
    again.innerHTML = box.innerHTML;
    htmx.process(again);
}"""


def canaries(chromium, httpserver, render):
    """How often a script ran and what was fetched, with every payload in one page, served and swapped in."""
    fragments = [render(clean_text(payload)) for payload in PAYLOADS]
    served = "".join(f"<section>{fragment}</section>" for fragment in fragments)
    httpserver.expect_request("/").respond_with_data(PAGE.replace("{}", served), content_type="text/html")
    httpserver.expect_request("/htmx.js").respond_with_data(HTMX.read_text(), content_type="text/javascript")
    page = chromium.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url.removeprefix(httpserver.url_for("/").rstrip("/"))))
    page.goto(httpserver.url_for("/"), wait_until="load")
    if page.evaluate("typeof htmx") == "object":
        for fragment in fragments:
            page.evaluate(SWAP, fragment)
    for link in page.query_selector_all("section a, div a")[:200]:
        link.dispatch_event("mouseover")
    page.wait_for_timeout(500)
    hits = page.evaluate("typeof hits === 'number' ? hits : 0")
    page.close()
    return hits, sorted(set(requests) - {"/", "/htmx.js", "/favicon.ico"})


@pytest.mark.parametrize("render", [render_markdown, lambda text: parse_markdown(text) or plain(text), sanitize])
def test_nothing_runs_and_nothing_is_fetched_through_both_layers_or_either(chromium, httpserver, render):
    assert canaries(chromium, httpserver, render) == (0, [])


def test_control_raw_payloads_run_and_fetch(chromium, httpserver):
    hits, requests = canaries(chromium, httpserver, lambda text: text if "plaintext" not in text else "")

    print(f"raw: {hits} scripts ran, {len(requests)} addresses fetched")
    assert hits > 10
    assert "/canary" in requests
