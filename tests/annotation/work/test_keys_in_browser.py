"""Every question of an item is answered by keys that say where they act."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign, Judgment
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from tests.annotation.worth.bidding import made_ready
from tests.browser import DESK, PHONE, hearing, look, shoot
from tests.factories import PREFERENCE, make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUESTIONS = [
    PREFERENCE | {"settings": {"strength": "off"}},
    {"name": "worth", "type": "amount", "settings": {"mode": "price_list", "prices": ["0", "1", "5"]}},
    {"name": "clear", "type": "rating", "settings": {"points": 5}},
    {"name": "good", "type": "labels", "settings": {"options": ["Short", "True", "Kind"]}},
    {"name": "order", "type": "ranking"},
    {"name": "sure", "type": "confidence"},
    {"name": "why", "type": "rationale", "required": False},
]


def open_item(open_page, questions) -> Page:
    campaign: Campaign = make_campaign(questions=questions, name="Keys")
    make_item(campaign)
    user = make_user()
    _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
    person = person_of_user(user=user, now=timezone.now())
    made_ready(join_by_invitation(token=token, person=person, now=timezone.now()), campaign)
    return open_page(f"/annotate/{campaign.slug}/item", DESK, user=user, reduced_motion="reduce")


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def checked(page: Page) -> dict[str, list[str]]:
    """What is chosen, by the name of its field."""
    found: dict[str, list[str]] = {}
    for name, value in page.locator("[data-ballot] input:checked").evaluate_all(
        "all => all.map(e => [e.name, e.value])"
    ):
        found.setdefault(name, []).append(value)
    return found


def test_digits_answer_the_question_that_has_the_focus_or_the_first_open_one(open_page):
    page = open_item(open_page, QUESTIONS)
    press(page, "?")
    listed = page.get_by_role("dialog").inner_text()
    for line in ("1 – 5\nHow good is each response? Response A\n", "1 – 3\nWhich of these hold?", "Skips this item"):
        assert line in listed, listed
    shoot(page, "keys-many")
    page.keyboard.press("Escape")
    # Price rows come once a side is chosen; each is a question.
    press(page, "a1n1n2n43")
    rows = {name: value for name, value in checked(page).items() if name.startswith("worth.a")}
    assert list(rows.values()) == [["pay"], ["pay"], ["free"]]
    ratings = [value for name, value in checked(page).items() if name.startswith("clear")]
    assert ratings == [["3"]]
    # Typing is never taken for a key.
    page.get_by_label("Why").fill("")
    page.get_by_label("Why").press_sequentially("1n2")
    assert page.get_by_label("Why").input_value() == "1n2"
    look(page, "keys-answered")


def test_an_answer_is_corrected_by_the_keys_that_gave_it(open_page):
    page = open_item(open_page, [QUESTIONS[0], QUESTIONS[2]])
    press(page, "an4n3")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Stored.")).to_be_visible()
    page.goto(page.url.replace("/item", f"/history/{Judgment.objects.get().pk}"))
    hearing(page)
    press(page, "?")
    assert "1 – 5\nHow good is each response? Response A\n" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    press(page, "bn2")
    for viewport in (PHONE, DESK):
        page.set_viewport_size(viewport)
        look(page, "keys-correct")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Your answers")).to_be_visible()
    last = Judgment.objects.exclude(supersedes=None).get()
    assert (last.preference, Judgment.objects.count()) == ("b", 2)


def test_keys_rest_where_they_are_switched_off(open_page):
    page = open_item(open_page, QUESTIONS[2:4])
    page.get_by_label("Answer by key").uncheck()
    page.locator("body").click()
    press(page, "3nx")
    assert checked(page) == {}
    page.get_by_label("Answer by key").check()
    expect(page.get_by_label("Answer by key")).to_be_checked()
    page.locator("h1").first.evaluate("e => document.activeElement.blur()")
    press(page, "3n2n13")
    assert checked(page) == {"clear.a": ["3"], "clear.b": ["2"], "good.1": ["Short"], "good.3": ["Kind"]}
