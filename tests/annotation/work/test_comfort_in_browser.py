"""What makes work bearable, in a real browser: hidden content, breaks, questions and their answers, at any size."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.enums import Role
from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign, GuidelineQuestion, Judgment, Respondent
from annotation.use_cases.agree_to_texts import read_guidelines
from annotation.use_cases.answer_question import answer_question
from annotation.use_cases.ask_question import ask_question
from annotation.use_cases.join_campaign import join_from_pool
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.web import answers
from tests.annotation.work.test_work_in_browser import choose, prefetched
from tests.browser import DESK, PHONE, look, shoot
from tests.factories import PREFERENCE, RATIONALE, make_campaign, make_item, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BLOOD, INSULTS = "Injuries and blood", "Insults"
# A window of 1440 px at 200 %.
ZOOMED = {"width": 720, "height": 450}


def look_at_both(page: Page, name: str) -> None:
    """As it is on a desk and on a phone."""
    for viewport in (PHONE, DESK):
        page.set_viewport_size(viewport)
        look(page, name)


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE, RATIONALE], name="First aid")
    Campaign.objects.filter(pk=campaign.pk).update(warned_content=[BLOOD, INSULTS], pool="annotators")
    publish_guidelines(campaign_id=campaign.pk, text="Judge whether it would **help**.", now=timezone.now())
    for number in range(1, 4):
        make_item(
            campaign,
            prompt=f"How do I dress a deep cut, {number}?",
            texts=("Press a clean cloth on it.\n\n" * 6, "ابحث عن طبيب"),
            warnings=[BLOOD],
            slots=3,
        )
    campaign.refresh_from_db()
    return campaign


@pytest.fixture
def at_work(open_page, campaign) -> Callable[..., Page]:
    def at_work(viewport: dict[str, int], end: str = "/item", **values) -> Page:
        user = make_user(role=Role.ANNOTATOR)
        person = person_of_user(user=user, now=timezone.now())
        who = join_from_pool(campaign_id=campaign.pk, person=person, is_expert=False, now=timezone.now())
        read_guidelines(respondent_id=who.pk, guidelines_id=campaign.guidelines_id, now=timezone.now())
        return open_page(f"/annotate/{campaign.slug}{end}", viewport, user=user, reduced_motion="reduce", **values)

    return at_work


@pytest.mark.parametrize("viewport", [PHONE, ZOOMED], ids=["phone", "zoomed"])
def test_hidden_content_is_shown_by_key_and_cannot_be_reached_before(at_work, viewport):
    page = at_work(viewport)
    look(page, "work-veiled")
    button = page.get_by_role("button", name="Show it")
    expect(button).to_be_focused()
    assert BLOOD in button.evaluate(
        "e => e.getAttribute('aria-describedby').split(' ').map(i => document.getElementById(i).textContent).join()"
    )
    # Neither by keys nor by the eyes of a screen reader.
    page.keyboard.press("a")
    page.keyboard.press("Control+Enter")
    assert page.locator("input[name=preference]:checked").count() == 0
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('.veil__part') === null")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Prompt and responses")).to_be_focused()
    expect(page.get_by_role("heading", name="Response A")).to_be_visible()
    page.keyboard.press("a")
    assert page.locator("input[name=preference][value=a]").is_checked()
    look(page, "work-revealed")
    # What is written from right to left is laid out so, whichever side it is on.
    arabic = page.locator(".versus__text", has_text="ابحث")
    assert arabic.evaluate("e => getComputedStyle(e).direction") == "rtl"


def test_the_next_item_is_hidden_anew_and_without_script_it_can_be_shown(at_work):
    page = at_work(DESK)
    prefetched(page)
    page.get_by_role("button", name="Show it").click()
    choose(page, "preference", "a")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Stored.")).to_be_visible()
    expect(page.get_by_role("button", name="Show it")).to_be_focused()
    plain = at_work(PHONE, java_script_enabled=False)
    assert plain.locator("[inert]").count() == 2
    plain.get_by_role("button", name="Show it").click()
    assert plain.locator("[inert]").count() == 0
    plain.locator("label.choice__option:has(input[name='preference'][value='tie'])").click()
    plain.get_by_role("button", name="Submit").click()
    assert Judgment.objects.count() == 2


def test_a_break_is_offered_beside_the_answer_and_taken_by_keys(at_work, campaign, monkeypatch):
    """Whether it is due is the policy's, tested elsewhere."""
    monkeypatch.setattr(answers, "is_due", lambda count: True)
    monkeypatch.setattr(answers, "offer_break", lambda **values: True)
    page = at_work(DESK)
    prefetched(page)
    page.get_by_role("button", name="Show it").click()
    choose(page, "preference", "a")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("A break?")).to_be_visible()
    look_at_both(page, "work-break-offered")
    page.get_by_role("button", name="Take a break").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Take your time")).to_be_visible()
    expect(page.get_by_text("stays yours until")).to_be_visible()
    look_at_both(page, "work-break")
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("button", name="Show it")).to_be_visible()


def test_a_question_is_asked_beside_the_item_and_its_answer_comes_as_news(at_work, campaign):
    page = at_work(DESK)
    page.get_by_text("Ask a question").click()
    page.get_by_label("Your question about").fill("Does a doctor count?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Asked. The answer comes up")).to_be_visible()
    question = GuidelineQuestion.objects.get()
    answer_question(
        question_id=question.pk,
        wording="Does the advice of a doctor count?",
        answer="Yes, **always**.",
        publish=True,
        actor=None,
        now=timezone.now(),
    )
    page.reload()
    page.get_by_text("New in the guidelines").click()
    look_at_both(page, "work-news")
    page.get_by_role("button", name="I have read this").click()
    expect(page.get_by_role("button", name="Show it")).to_be_visible()
    assert page.get_by_text("New in the guidelines").count() == 0
    for end, name in (("/questions", "work-questions"), ("", "work-step"), ("/guidelines", "work-guidelines")):
        page.goto(f"/annotate/{campaign.slug}{end}")
        look_at_both(page, name)
    page.get_by_role("link", name="Ask a question about them").click()
    expect(page.get_by_role("heading", name="Your questions")).to_be_visible()


def test_an_admin_names_content_answers_questions_and_asks_for_the_test_again(open_page, at_work, campaign):
    at_work(PHONE)
    ask_question(respondent_id=Respondent.objects.get().pk, words="Does a doctor count?", now=timezone.now())
    expected = [{"question": "preference", "values": ["a"]}]
    make_item(campaign, purpose="qualification", expected=expected, slots=0)
    page = open_page(f"/campaigns/{campaign.slug}/asked", DESK, user=make_user(role=Role.CAMPAIGN_ADMIN))
    look_at_both(page, "asked")
    page.get_by_label("Answer, in Markdown").fill("Yes.")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("Word the question as everybody")).to_be_visible()
    page.get_by_label("The question as everybody reads it").fill("Does a doctor count?")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("part of guidelines 2")).to_be_visible()
    look_at_both(page, "asked-answered")
    page.goto(f"/campaigns/{campaign.slug}/edit/content")
    look_at_both(page, "edit-content")
    page.get_by_label("Categories that people are warned of").fill(f"{INSULTS}\nSpiders")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Items have the category")).to_be_visible()
    page.goto(f"/campaigns/{campaign.slug}/edit/guidelines")
    page.get_by_label("People take the test again").check()
    shoot(page, "edit-guidelines")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("Saved as a new version")).to_be_visible()
    version = Campaign.objects.get(pk=campaign.pk).guidelines
    assert (version.number, version.requalify, campaign.items.filter(test_of=version).count()) == (3, True, 1)
