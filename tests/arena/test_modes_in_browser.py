"""Battles of four, and battles whose visitor says who meets, in a real browser, on a phone and at a desk."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Judgment
from arena.enums import Mode
from arena.models import Battle
from arena.web.visitors import COOKIE
from inference_workers.models import LanguageModel
from tests.arena.factories import answer, arena_of, begin, make_arena, make_models
from tests.browser import DESK, PHONE, look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOKEN = "cookie-of-a-visitor-who-arranges"
both = pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])


@pytest.fixture
def visit(open_page, site_address) -> Callable[..., Page]:
    def visit(address: str, viewport: dict[str, int], **context) -> Page:
        page = open_page(None, viewport, reduced_motion="reduce", **context)
        page.context.add_cookies([{"name": COOKIE, "value": TOKEN, "url": site_address}])
        page.route("**/streams/**", lambda route: route.fulfill(status=204))
        page.goto(address)
        return page

    return visit


@both
def test_four_answers_are_read_put_in_order_by_keys_and_revealed(visit, viewport):
    make_models(4)
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    battle = begin(person, arena=arena_of(4))
    page = visit(f"/battles/{battle.pk}", viewport)
    expect(page.locator(".versus__side")).to_have_count(4)
    look(page, "four-waiting")
    answer(battle)
    page.reload()
    look(page, "four-votable")
    if viewport == PHONE:
        page.locator(".versus-jump__to", has_text="D").click()
        expect(page.get_by_role("heading", name="Response D")).to_be_in_viewport()
    for _ in range(4):
        page.locator("[data-ranking-pool] [data-act=grip]").first.focus()
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Vote and reveal the models").click()
    expect(page.get_by_role("heading", name="Your vote is stored.")).to_be_visible()
    assert Judgment.objects.get().tiers == [1, 2, 3, 4]
    for response in battle.item.responses.all():
        expect(page.locator(".reveal__name", has_text=response.contestant.name)).to_be_visible()
    look(page, "four-revealed")


@both
def test_a_visitor_names_the_models_and_another_time_has_a_set_of_their_own(visit, viewport):
    make_models(3)
    make_arena(modes=Mode.values)
    first, second, third = LanguageModel.objects.order_by("pk")
    page = visit("/", viewport, java_script_enabled=viewport == DESK)
    if viewport == DESK:
        look(page, "modes-hidden")
    page.get_by_role("link", name="Choose the models").click()
    page.get_by_label("Response A").select_option(second.slug)
    if viewport == DESK:
        look(page, "modes-choose")
    page.get_by_label("Your prompt").fill("Why is the sky blue?")
    page.get_by_role("button", name="Start battle").click()
    expect(page.get_by_role("heading", name=f"Response A · {second.name}")).to_be_visible()
    battle = answer(Battle.objects.get())
    page.goto(f"/battles/{battle.pk}")
    if viewport == DESK:
        look(page, "modes-named-votable")
    page.goto("/own-models")
    page.get_by_role("link", name="Choose your models").click()
    for model in (first, third):
        page.get_by_role("checkbox", name=model.name).check()
    if viewport == DESK:
        look(page, "modes-set")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your set is saved.")).to_be_visible()
    if viewport == DESK:
        look(page, "modes-own")
    page.get_by_label("Your prompt").fill("And at night?")
    page.get_by_role("button", name="Start battle").click()
    expect(page.get_by_text("Among your own models.")).to_be_visible()
    assert first.name not in page.content()
    assert third.name not in page.content()


def test_the_choice_of_models_fits_a_phone_in_the_dark(visit):
    make_models(4)
    arena = arena_of(4, modes=Mode.values)
    page = visit(f"/arenas/{arena.campaign.slug}/choose", PHONE, color_scheme="dark")
    look(page, "modes-choose-dark")
    page.get_by_role("link", name="My models").click()
    page.get_by_role("link", name="Choose your models").click()
    look(page, "modes-set-dark")
