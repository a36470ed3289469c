"""A chat from its first turn to the names: asked again, reacted to, voted on, gone on with, in a real browser."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import EarlierTurn, Judgment, Reaction
from arena.models import Battle
from arena.web.visitors import COOKIE
from tests.arena.factories import answer, make_arena, make_models, votable
from tests.browser import DESK, PHONE, look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOKEN = "cookie-of-a-visitor-who-goes-on"


@pytest.fixture
def chat(open_page, site_address) -> Callable[..., tuple[Page, Battle]]:
    def chat(viewport: dict[str, int], **context) -> tuple[Page, Battle]:
        page = open_page(None, viewport, reduced_motion="reduce", **context)
        page.context.add_cookies([{"name": COOKIE, "value": TOKEN, "url": site_address}])
        page.route("**/streams/**", lambda route: route.fulfill(status=204))
        battle = votable(person_of_visitor(token=TOKEN, now=timezone.now()))
        page.goto(f"/battles/{battle.pk}")
        return page, battle

    return chat


def answered(page: Page, battle: Battle, *texts: str) -> None:
    answer(battle, texts)
    page.goto(f"/battles/{battle.pk}")
    expect(page.get_by_text(texts[0])).to_be_visible()


def prefer(page: Page, choice: str) -> None:
    page.locator("main").press(choice)
    expect(page.locator(f"input[name=preference][value={choice}]")).to_be_checked()
    page.locator("label", has_text="Much better").first.click()


def names(battle: Battle) -> list[str]:
    return [each.contestant.name for each in battle.item.responses.select_related("contestant")]


@pytest.mark.parametrize(
    ("viewport", "context"),
    [(PHONE, {"color_scheme": "dark"}), (DESK, {})],
    ids=["phone", "desk"],
)
def test_a_chat_is_asked_again_reacted_to_and_goes_on_from_the_preferred_answer(chat, viewport, context):
    make_models(2)
    make_arena(max_regenerations=2)
    page, battle = chat(viewport, **context)
    page.get_by_role("button", name="Ask both again").click()
    expect(page.locator(".waiting")).to_be_attached()
    answered(page, battle, "It scatters blue.", "It reflects the sea.")
    expect(page.get_by_text("All were asked again once; the vote is about these answers.")).to_be_visible()
    assert EarlierTurn.objects.count() == 2

    first = page.locator(".reactions").first
    first.locator("summary").click()
    first.get_by_role("button", name="Useful").click()
    expect(first.get_by_role("button", name="Useful")).to_have_attribute("aria-pressed", "true")
    look(page, "chat-reacted")

    # Which of them is A was drawn.
    preferred, other = (each.strip() for each in page.locator(".versus [data-text], .versus .prose").all_inner_texts())
    prefer(page, "a")
    page.get_by_role("button", name="Vote and go on, models hidden").click()
    expect(page.get_by_text("The models stay hidden until you have them shown.")).to_be_visible()
    assert (Judgment.objects.count(), Reaction.objects.count()) == (1, 1)
    assert [name for name in names(battle) if name in page.content()] == []
    look(page, "chat-held")

    page.get_by_label("What to say next").fill("And at sunset?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Part 2 of a conversation")).to_be_visible()
    following = Battle.objects.get(continues=battle)
    answered(page, following, "Longer paths leave red.", "It goes to sleep.")
    page.get_by_text("What all know from before").click()
    expect(page.get_by_text(preferred)).to_be_visible()
    expect(page.get_by_text(other)).to_have_count(0)
    assert [name for name in names(battle) if name in page.content()] == []
    look(page, "chat-second-part")

    prefer(page, "b")
    page.get_by_role("button", name="Vote and reveal the models").click()
    for name in names(battle):
        expect(page.locator(".reveal__name", has_text=name)).to_be_visible()
    look(page, "chat-revealed")
    page.goto(f"/battles/{battle.pk}")
    for name in names(battle):
        expect(page.locator(".reveal__name", has_text=name)).to_be_visible()
