"""From nothing to results: an admin makes a campaign, two people who were invited judge it, a worker does the rest."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import SIZES, Running, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.worker, pytest.mark.slow, pytest.mark.xdist_group("journeys")]

PASSWORD = "a-long-pass-word-of-mine"
ROWS = "prompt\tresponse_1\tmodel_1\tresponse_2\tmodel_2\n" + "\n".join(
    f"How do I boil {number} eggs?\tPut them into boiling water for eight minutes.\tplain\tEggs are nice.\tvague"
    for number in range(2, 6)
)


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Campaign").get_by_role("link", name=name, exact=True).click()


def make_campaign(page: Page) -> str:
    """What the campaign asks, by clicks; returns its address."""
    page.goto("/campaigns")
    page.get_by_role("link", name="New campaign").first.click()
    page.get_by_label("Name").fill("Eggs")
    page.get_by_text("Pairwise", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).click()
    for section, field, text in (
        ("About", "Purpose", "To see which answers help a cook."),
        ("Consent", "Consent text, in Markdown", "Two minutes. You may stop at any time."),
        ("Guidelines", "Guidelines, in Markdown", "Judge as **somebody who is hungry**."),
    ):
        tab(page, section)
        page.get_by_label(field).fill(text)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.")).to_be_visible()
    tab(page, "Design")
    page.get_by_label("Judgments per item", exact=True).fill("2")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    tab(page, "Questions")
    questions = page.locator("fieldset.question")
    before = questions.count()
    page.get_by_role("button", name="Confidence", exact=True).click()
    expect(questions).to_have_count(before + 1)
    page.get_by_role("button", name="Save the questions").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    tab(page, "Overview")
    return page.url


def import_items(page: Page) -> None:
    tab(page, "Items")
    page.get_by_text("Paste rows instead").click()
    page.get_by_label("Rows").fill(ROWS)
    page.get_by_role("button", name="Take these rows").click()
    page.get_by_role("button", name="Import all rows").click()
    page.get_by_role("heading", name="4 items in the campaign").wait_for(timeout=60_000)


def rehearse(page: Page) -> None:
    tab(page, "Dry run")
    page.get_by_label("Items").fill("4")
    page.get_by_label("Simulated people").fill("3")
    page.get_by_role("button", name="Start a dry run").click()
    expect(page.get_by_text("Hours of work")).to_be_visible(timeout=60_000)


def invite(page: Page) -> str:
    """The link, as it is shown once."""
    tab(page, "People")
    page.get_by_label("Name").fill("Cooks")
    page.get_by_role("button", name="Make a link").click()
    return page.locator("#invitation-link").input_value()


def join(browser: Browser, running: Running, link: str, name: str, size: str) -> tuple[BrowserContext, Page]:
    """Somebody new: an account, the campaign, its consent and guidelines."""
    context = browser.new_context(base_url=running.address, viewport=SIZES[size])
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(link)
    page.get_by_role("link", name="Make an account").click()
    for field, value in (("email", f"{name}@example.org"), ("username", name), ("password1", PASSWORD)):
        page.fill(f"input[name={field}]", value)
    page.fill("input[name=password2]", PASSWORD)
    page.locator("main button[type=submit]").click()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You may stop at any time")).to_be_visible()
    page.get_by_role("button", name="I agree").click()
    expect(page.locator("strong", has_text="somebody who is hungry")).to_be_visible()
    page.get_by_role("button", name="I have read this").click()
    page.get_by_role("link", name="Start").click()
    page.wait_for_url("**/item")  # and for its scripts: keys pressed before go nowhere
    return context, page


def useful_side(page: Page) -> str:
    """The side that answers the question, wherever it is shown."""
    first = page.locator(".versus__text").first.inner_text()
    return "a" if "boiling water" in first else "b"


def judge_by_keys(page: Page) -> None:
    """Nothing but the keyboard."""
    page.keyboard.press(useful_side(page))
    page.keyboard.press("3")
    page.locator("input[name='confidence']").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Enter")


def judge_by_touch(page: Page) -> None:
    side = useful_side(page)
    page.locator(f"label.choice__option:has(input[name='preference'][value='{side}'])").click()
    page.locator("label.choice__option:has(input[name='preference.strength'][value='3'])").click()
    page.locator("label.choice__option:has(input[name='confidence'])").last.click()
    page.get_by_role("button", name="Submit").click()


@pytest.mark.parametrize("size", ["desktop"], indirect=True)
def test_a_campaign_from_nothing_to_its_results(page: Page, chromium: Browser, running: Running, look):
    sign_in(page, running, "admin")
    address = make_campaign(page)
    import_items(page)
    page.goto(address)
    rehearse(page)
    look("campaign-dry-run")
    page.goto(address)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Instrument 1, frozen")).to_be_visible()
    look("campaign-running")
    link = invite(page)
    look("campaign-invited")
    for name, size, judge in (("rosa", "desktop", judge_by_keys), ("emil", "phone", judge_by_touch)):
        context, work = join(chromium, running, link, name, size)
        for _ in range(4):
            shown = work.locator("[data-work]").get_attribute("data-assignment")
            judge(work)
            expect(work.locator(f"[data-work][data-assignment='{shown}']")).to_have_count(0)
        expect(work.get_by_text("Nothing to do at the moment")).to_be_visible()
        context.close()
    page.goto(address)
    expect(page.locator(".stat", has_text="Judgments")).to_contain_text("8")
    tab(page, "Watching")
    look("campaign-watching")
    expect(page.locator("main")).to_contain_text("8")
    tab(page, "Results")
    expect(board_of(page)).to_contain_text("plain", timeout=30_000)
    assert board_of(page).inner_text().index("plain") < board_of(page).inner_text().index("vague")
    look("campaign-results")


def board_of(page: Page):
    """The board's table, loaded again until the worker has computed it."""
    for _ in range(20):
        if page.locator("main table").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    return page.locator("main table").first
