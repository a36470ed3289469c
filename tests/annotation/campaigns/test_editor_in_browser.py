"""A campaign admin at work in a real browser: a mixed campaign from nothing, by clicks and by keys."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.enums import Role
from annotation.models import Campaign
from annotation.policies.drafts import section_content
from annotation.policies.templates import ALL
from annotation.use_cases.start_campaign import start_campaign
from tests.browser import DESK, PHONE, look, shoot
from tests.factories import make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def signed_in():
    return make_user(role=Role.CAMPAIGN_ADMIN)


def start(slug: str = "pairwise", **settings) -> Campaign:
    point = next(each for each in ALL if each.slug == slug)
    settings = {"purpose": "To see which answers help.", "responses_per_item": point.responses, **settings}
    return start_campaign(name=str(point.name), draft=point.draft, settings=settings, actor=None, now=timezone.now())


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Campaign").get_by_role("link", name=name, exact=True).click()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_mixed_campaign_is_built_from_nothing_by_clicks_and_launched(open_page):
    page = open_page("/campaigns")
    page.get_by_role("link", name="New campaign").first.click()
    page.get_by_label("Name").fill("Mixed")
    page.get_by_text("Blank", exact=True).click()
    shoot(page, "new")
    press(page, "Start")
    expect(page.get_by_text("5 things are missing before the launch:")).to_be_visible()
    shoot(page, "overview-missing")
    for section, field, text in (
        ("About", "Purpose", "To see what helps."),
        ("Consent", "Consent text, in Markdown", "You may stop."),
        ("Guidelines", "Guidelines, in Markdown", "## Read\n\nRead **both**."),
    ):
        tab(page, section)
        page.get_by_label(field).fill(text)
        if section == "Guidelines":
            expect(page.locator("#read strong")).to_have_text("both")
            shoot(page, "guidelines")
        press(page, "Save")
        expect(page.get_by_text("Saved.")).to_be_visible()
    tab(page, "Questions")
    build_questions(page)
    expect(page.get_by_text("Saved.")).to_be_visible()
    campaign = Campaign.objects.get()
    assert [
        (each["name"], each["type"], each["required"], each["condition"])
        for each in section_content(campaign, "questions")
    ] == [
        ("preference", "preference", True, None),
        ("rationale", "rationale", False, {"question": "preference", "values": ["a", "b"]}),
        ("labels", "labels", True, None),
    ]
    make_item(campaign)
    tab(page, "Overview")
    press(page, "Run")
    expect(page.get_by_text("Instrument 1, frozen")).to_be_visible()
    shoot(page, "overview-running")
    tab(page, "Questions")
    expect(page.get_by_role("link", name="Copy the campaign")).to_be_visible()
    expect(page.locator("#questions input[type=text]").first).to_be_disabled()


def build_questions(page: Page) -> None:
    """Three of three types, in another order than they were added, one hanging on another's answer; shown as typed."""
    ballot = page.locator("#ballot")
    press(page, "Labels")
    page.locator("#edit-1").get_by_label("Choices, one a line").fill("Rude\nWrong")
    expect(ballot.get_by_text("Rude")).to_be_visible()
    press(page, "Preference")
    expect(page.locator("#id_q2-title")).to_be_focused()
    press(page, "Rationale")
    page.locator("#id_q3-title").fill("What decided?")
    page.locator("#edit-3").get_by_label("An answer is required").uncheck()
    page.get_by_role("button", name="Move question 2 up").focus()
    page.keyboard.press("Enter")
    expect(page.locator("fieldset.question").first).to_have_id("edit-2")
    expect(page.locator("#up-2")).to_be_focused()
    page.get_by_role("button", name="Move question 3 up").click()
    expect(page.locator("fieldset.question").nth(1)).to_have_id("edit-3")
    page.locator("#id_q3-after").select_option("2")
    page.locator("#edit-3").get_by_label("A", exact=True).check()
    page.locator("#edit-3").get_by_label("B", exact=True).check()
    expect(ballot.locator('[data-after="preference"][data-after-values="a,b"]')).to_be_hidden()
    ballot.locator('[data-after-values="a,b"]').wait_for(state="attached")
    ballot.locator('input[name="preference"][value="a"]').check()
    expect(ballot.get_by_text("What decided?")).to_be_visible()
    shoot(page, "questions")
    press(page, "Save the questions")


def test_a_refused_list_opens_at_its_first_fault_and_lists_them_all(open_page):
    campaign = start()
    draft = campaign.draft | {"questions": [{"name": f"why-{number}", "type": "rationale"} for number in range(9)]}
    Campaign.objects.filter(pk=campaign.pk).update(draft=draft)
    page = open_page(f"/campaigns/{campaign.slug}/edit/questions")
    page.locator("#id_q8-set-min_length").fill("-4")
    page.locator("#id_q9-set-min_length").fill("-5")
    press(page, "Save the questions")
    expect(page.locator("#id_q8-set-min_length")).to_be_focused()
    expect(page.locator("#id_q8-set-min_length")).to_be_in_viewport()
    page.get_by_role("link", name="Question 9 (Rationale), Fewest characters").click()
    expect(page.locator("#id_q9-set-min_length")).to_be_focused()
    page.locator(".faults").scroll_into_view_if_needed()
    shoot(page, "questions-refused")


def test_on_a_phone_the_current_page_of_a_row_is_in_sight_and_the_page_stays_where_it_is(open_page):
    page = open_page(f"/campaigns/{start().slug}/watch#content", PHONE)
    expect(page.locator(".tabs [aria-current]").first).to_have_text("Watching")
    expect(page.locator(".tabs [aria-current]").first).to_be_in_viewport(ratio=1)
    look(page, "tabs")


def test_a_try_says_what_is_missing_then_what_would_be_stored(open_page):
    campaign = start()
    page = open_page(f"/campaigns/{campaign.slug}/edit/questions")
    ballot = page.locator("#ballot")
    press(page, "Try it")
    expect(ballot.locator("[role=alert]").first).to_be_visible()
    ballot.locator('input[name="preference"][value="b"]').check()
    ballot.locator('input[name="preference.strength"][value="2"]').check()
    press(page, "Try it")
    expect(ballot.locator("pre")).to_contain_text('"preference": "b"')
    shoot(page, "try")


def test_keys_of_the_ballot_are_left_alone_while_somebody_edits(open_page):
    page = open_page(f"/campaigns/{start().slug}/edit/questions")
    page.locator("#up-2").focus()
    page.keyboard.press("a")
    expect(page.locator('#ballot input[name="preference"]:checked')).to_have_count(0)
    page.locator('#ballot input[name="preference"]').first.focus()
    page.keyboard.press("b")
    expect(page.locator('#ballot input[name="preference"][value="b"]')).to_be_checked()


def test_the_pay_is_projected_as_it_is_typed(open_page):
    page = open_page(f"/campaigns/{start().slug}/edit/pay")
    page.get_by_label("Pay per judgment").fill("0,25")
    page.get_by_label("Expected seconds per item").fill("60")
    page.get_by_label("Least pay per hour").fill("16")
    expect(page.locator("[data-projected]")).to_have_text("15.00 USD")
    expect(page.get_by_text("That is below the least pay.")).to_be_visible()


ADDRESSES = ("", "/edit/about", "/edit/guidelines", "/edit/questions", "/edit/design", "/edit/pay", "/preview")


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["390", "1440"])
def test_no_page_has_a_fault_that_axe_finds_and_all_fit_their_window(open_page, viewport, scheme):
    campaign = start("ultrafeedback" if scheme == "dark" else "pairwise")
    page = open_page("/campaigns", viewport, color_scheme=scheme)
    outer = ("/campaigns", "/campaigns/new") if viewport == PHONE else ()
    for address in (*outer, *(f"/campaigns/{campaign.slug}{end}" for end in ADDRESSES)):
        page.goto(address)
        look(page, f"{address.strip('/').replace('/', '-')}-{scheme}")


def test_a_stale_tab_keeps_what_was_typed_and_shows_what_is_stored(open_page):
    address = f"/campaigns/{start().slug}/edit/questions"
    mine, theirs = open_page(address), open_page(address)
    theirs.locator("#id_q1-title").fill("Which do they like?")
    press(theirs, "Save the questions")
    expect(theirs.get_by_text("Saved.")).to_be_visible()
    mine.locator("#id_q1-title").fill("Which do I like?")
    press(mine, "Save the questions")
    expect(mine.get_by_text("Somebody else saved this after you opened it.")).to_be_visible()
    expect(mine.locator("#id_q1-title")).to_have_value("Which do I like?")
    expect(mine.locator(".theirs")).to_contain_text("Which do they like?")
    shoot(mine, "stale")
    press(mine, "Save the questions")
    expect(mine.get_by_text("Saved.")).to_be_visible()
    assert section_content(Campaign.objects.get(), "questions")[0]["title"] == "Which do I like?"
