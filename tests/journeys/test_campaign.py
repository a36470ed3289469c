"""From nothing to results: an admin makes a campaign, two people who were invited judge it, one with nothing but the
keyboard, a reviewer decides about what they answered, and a worker does the rest.
"""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import hearing
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
    ask_more(page)
    tab(page, "Overview")
    return page.url


def ask_more(page: Page) -> None:
    """Beside the preference with its strength: a rating, an amount, and confidence of those who prefer one."""
    tab(page, "Questions")
    questions = page.locator("fieldset.question")
    for kind in ("Rating", "Amount", "Confidence"):
        before = questions.count()
        page.get_by_role("button", name=kind, exact=True).click()
        expect(questions).to_have_count(before + 1)
    confidence = questions.last
    confidence.get_by_label("Asked", exact=True).select_option(index=1)
    for answer in ("a", "b"):
        confidence.locator(f"input[name$='after_values'][value='{answer}']").check()
    page.get_by_role("button", name="Save the questions").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


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


def visit(browser: Browser, running: Running, link: str, size: str) -> tuple[BrowserContext, Page]:
    context = browser.new_context(base_url=running.address, viewport=SIZES[size])
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(link)
    return context, page


def join_by_touch(page: Page, name: str) -> None:
    """Somebody new: an account, the campaign, its consent and guidelines."""
    page.get_by_role("link", name="Make an account").click()
    for field, value in account(name).items():
        page.fill(f"input[name={field}]", value)
    page.locator("main button[type=submit]").click()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You may stop at any time")).to_be_visible()
    page.get_by_role("button", name="I agree").click()
    expect(page.locator("strong", has_text="somebody who is hungry")).to_be_visible()
    page.get_by_role("button", name="I have read this").click()
    for question, right in CHECK.items():
        page.locator(f"label.choice__option:has(input[name='{question}'][value='{right}'])").click()
    page.get_by_role("button", name="Answer").click()
    page.get_by_label("What is the most you would pay").fill("4.00")
    page.get_by_role("button", name="Answer").click()
    page.get_by_role("link", name="To the items").click()
    page.wait_for_url("**/item")


def join_by_keys(page: Page, name: str) -> None:
    """The same, with nothing but the keyboard."""
    enter(page, "Make an account")
    page.wait_for_url("**/signup/**")
    for field, value in account(name).items():
        reach(hearing(page), field)
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    for heard, button in (
        ("Join", "Join"),
        ("You may stop at any time", "I agree"),
        ("somebody who is hungry", "I have read this"),
    ):
        expect(page.locator("main")).to_contain_text(heard)
        enter(hearing(page), button)
    expect(page.get_by_role("heading", name="A short check")).to_be_visible()
    for question, right in CHECK.items():
        reach(hearing(page), question)
        values = page.locator(f"input[name='{question}']").evaluate_all("all => all.map(each => each.value)")
        for _ in range(values.index(right)):
            page.keyboard.press("ArrowDown")
    enter(page, "Answer")
    expect(page.get_by_role("heading", name="Practice")).to_be_visible()
    reach(hearing(page), "bid")
    page.keyboard.type("4.00")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="To the items")).to_be_focused()
    hearing(page).keyboard.press("Enter")
    page.wait_for_url("**/item")
    hearing(page)


# What is asked before amounts are, and the right answers, none of which is the first of its question.
CHECK = {"money": "nothing", "meaning": "most"}


def account(name: str) -> dict[str, str]:
    return {"email": f"{name}@example.org", "username": name, "password1": PASSWORD, "password2": PASSWORD}


REACHED = """wanted => {
    const here = document.activeElement;
    return here.matches("a, button, input, textarea") && (here.name === wanted || here.innerText.trim() === wanted);
}"""


def reach(page: Page, wanted: str) -> None:
    """Press Tab until the control of this name, or with these words, has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(REACHED, wanted):
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def enter(page: Page, words: str) -> None:
    reach(page, words)
    page.keyboard.press("Enter")


def useful_side(page: Page) -> str:
    """The side that answers the question, wherever it is shown."""
    first = page.locator(".versus__text").first.inner_text()
    return "a" if "boiling water" in first else "b"


def judge_by_keys(page: Page) -> None:
    """Nothing but the keyboard."""
    side = useful_side(page)
    page.keyboard.press(side)
    page.keyboard.press("3")
    for rated in "ab":
        reach(page, f"rating.{rated}")
        page.keyboard.press("5" if rated == side else "2")
    reach(page, f"amount.{side}")
    page.keyboard.type("1.50")
    reach(page, "confidence")
    page.keyboard.press("4")
    page.keyboard.press("Control+Enter")


def judge_by_touch(page: Page) -> None:
    side = useful_side(page)

    def choose(name: str, value: str) -> None:
        page.locator(f"label.choice__option:has(input[name='{name}'][value='{value}'])").click()

    choose("preference", side)
    choose("preference.strength", "3")
    for rated in "ab":
        choose(f"rating.{rated}", "5" if rated == side else "2")
    page.locator(f"input[name='amount.{side}']").fill("2")
    choose("confidence", "5")
    page.get_by_role("button", name="Submit").click()


def review(page: Page) -> None:
    """One is approved, the next of the queue is rejected with a reason; a second reviewer would have to agree."""
    tab(page, "Review")
    page.locator("a[data-row]").first.click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved.")).to_be_visible()
    page.get_by_label("Message to the annotator").fill("Say why, please.")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("A second reviewer decides.")).to_be_visible()


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
    people = (("rosa", "desktop", join_by_keys, judge_by_keys), ("emil", "phone", join_by_touch, judge_by_touch))
    for name, size, join, judge in people:
        context, work = visit(chromium, running, link, size)
        join(work, name)
        for _ in range(4):
            shown = work.locator("[data-work]").get_attribute("data-assignment")
            judge(work)
            expect(work.locator(f"[data-work][data-assignment='{shown}']")).to_have_count(0)
        expect(work.get_by_text("Nothing to do at the moment")).to_be_visible()
        context.close()
    page.goto(address)
    expect(page.locator(".stat", has_text="Judgments")).to_contain_text("8")
    review(page)
    look("campaign-reviewed")
    page.goto(address)
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
