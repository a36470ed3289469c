"""How long until an item's page hears a key, in a real browser on a slow phone, beside the same page without scripts.

Slow is what Lighthouse simulates for phones: four times less processor, 150 ms there and back, 1.6 Mbit/s. Each visit
is a browser's first one: nothing is cached. The moment is that of the first key that answers the question, tried every
5 ms; beside it stands when the same page was there whose scripts and styles were refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, sync_playwright

from annotation.models import Campaign
from benchmarks.rows import Row
from config.launch.browser import ensure_browser

SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
PROCESSOR = 4
PHONE = {"width": 390, "height": 844}
LONGEST_MS, POLL_MS = 60_000, 20
# The key of the first answer. What answers it is a radio button that gets its mark.
PRESS = """
addEventListener("DOMContentLoaded", () => { window.there = performance.now(); });
const press = setInterval(() => {
  if (!document.body) return;
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true, cancelable: true }));
  if (!document.querySelector("form[data-answer] input:checked")) return;
  window.heard = performance.now();
  clearInterval(press);
}, 5);
"""


def time_to_first_key(campaign: Campaign, sessions: list[dict[str, str]]) -> list[Row]:
    """The median over those people's first visits, each with a session of their own."""
    with serving() as address:
        url = f"{address}/annotate/{campaign.slug}/item"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=ensure_browser(), args=["--no-sandbox"])
            visit(browser, url, sessions[0], scripts=True)  # the server's own first page is not measured
            visits = [[visit(browser, url, each, scripts=scripts) for scripts in (True, False)] for each in sessions]
            browser.close()
    heard, bare = zip(*visits, strict=True)
    note = f"over {len(sessions)} first visits; slow phone"
    return [Row("time to the first key that is heard", "item page", median(heard), "ms", median(bare), note=note)]


def visit(browser: Browser, url: str, session: dict[str, str], *, scripts: bool) -> float:
    """Milliseconds from the click to the first key heard; without `scripts`, to the page being there."""
    context = browser.new_context(viewport=PHONE)
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in session.items()])
    page = context.new_page()
    if not scripts:
        page.route(lambda asked: "/static/" in asked, lambda route: route.abort())
    slow = context.new_cdp_session(page)
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", SLOW)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": PROCESSOR})
    page.add_init_script(PRESS)
    page.goto(url)
    name = "heard" if scripts else "there"
    # The page's policy allows no strings as scripts, which is how a browser's driver would wait.
    for _ in range(LONGEST_MS // POLL_MS):
        taken = page.evaluate(f"window.{name}")
        if taken is not None:
            context.close()
            return float(taken)
        page.wait_for_timeout(POLL_MS)
    raise RuntimeError(f"{url} heard no key in {LONGEST_MS} ms")


@contextmanager
def serving() -> Iterator[str]:
    """The site on a port of this machine, with its static files as they lie in the repository."""
    with override_settings(ALLOWED_HOSTS=["127.0.0.1"], SESSION_COOKIE_SECURE=False, SECURE_SSL_REDIRECT=False):
        thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
        thread.daemon = True
        thread.start()
        thread.is_ready.wait()
        if thread.error:
            raise thread.error
        try:
            yield f"http://127.0.0.1:{thread.port}"
        finally:
            thread.terminate()
