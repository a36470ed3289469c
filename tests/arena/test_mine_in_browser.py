"""One's own pages and a shared battle in a real browser, on a phone and at a desk."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Person
from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Contestant
from arena.models import Share
from arena.web.visitors import COOKIE
from tests.arena.factories import make_models, votable
from tests.arena.voting import prefer, voted
from tests.browser import DESK, PHONE, look, shoot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOKEN = "cookie-of-who-looks-at-their-own"
both = pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])


@pytest.fixture
def person() -> Person:
    make_models()
    return person_of_visitor(token=TOKEN, now=timezone.now())


@pytest.fixture
def open_own(open_page, site_address) -> Callable[..., Page]:
    def open_own(address: str, viewport: dict[str, int]) -> Page:
        page = open_page(None, viewport, reduced_motion="reduce")
        page.context.add_cookies([{"name": COOKIE, "value": TOKEN, "url": site_address}])
        page.goto(address)
        return page

    return open_own


@both
def test_a_visitor_finds_their_battles_and_board_and_makes_a_link_with_which_another_browser_deletes_all(
    open_own, open_page, person, viewport
):
    voted(person, prompt="Wer schrieb „Faust“, und warum?")
    first = min(Contestant.objects.values_list("pk", flat=True))
    for _ in range(5):
        prefer(person, first)
    votable(person, prompt="كيف حالك؟")
    page = open_own("/about", viewport)
    page.get_by_role("link", name="Yours").click()
    expect(page.get_by_role("heading", name="Your battles", level=1)).to_be_visible()
    expect(page.locator(".own-battle")).to_have_count(7)
    look(page, "mine-battles")
    page.get_by_role("link", name="Your board").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    look(page, "mine-board")
    page.get_by_role("link", name="Your data").first.click()
    page.get_by_role("button", name="Link to delete").click()
    link = page.get_by_label("Link", exact=True).input_value()
    look(page, "mine-data")
    elsewhere = open_page(link, viewport, reduced_motion="reduce")
    elsewhere.get_by_role("button", name="Delete").click()
    look(elsewhere, "mine-link")
    elsewhere.get_by_label("Delete what I wrote.").check()
    elsewhere.get_by_role("button", name="Delete").click()
    expect(elsewhere.get_by_role("heading", name="Deleted")).to_be_visible()
    look(elsewhere, "mine-erased")
    page.goto("/mine")
    expect(page.get_by_text("No battles yet")).to_be_visible()


@both
def test_a_shared_battle_is_read_blind_and_unfolded_and_the_readers_choice_is_sent_nowhere(
    open_own, open_page, person, viewport
):
    battle = voted(person)
    page = open_own(f"/battles/{battle.pk}", viewport)
    shoot(page, "share-after-vote")
    page.get_by_role("link", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link", exact=True).input_value()
    look(page, "share-make")
    reader = open_page(link, viewport, reduced_motion="reduce")
    names = [response.contestant.name for response in battle.item.responses.all()]
    assert not any(name in reader.content() for name in names)
    unfold = reader.get_by_role("link", name="Show the models and their vote")
    expect(unfold).to_be_hidden()
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(f"{request.method} {request.url} {request.post_data or ''}"))
    reader.locator("label.choice__option:has(input[value='b'])").click()
    expect(unfold).to_be_visible()
    look(reader, "share-read")
    assert asked == []
    unfold.click()
    for name in names:
        expect(reader.locator(".reveal__name", has_text=re.compile(f"^{name}$"))).to_be_visible()
    look(reader, "share-unfolded")
    assert asked == [f"GET {link}/models "]
    page.get_by_role("button", name="End the link").click()
    expect(page.get_by_text("The link leads nowhere any more.")).to_be_visible()
    assert reader.goto(link).status == 404
    assert Share.objects.get().revoked_at is not None
