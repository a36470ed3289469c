"""A visitor adds a picture, by keys and on a phone, asks about it again with another, and shares the battle."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import PersonalFile
from accounts.use_cases.create_person import person_of_visitor
from arena.models import Battle
from arena.use_cases.share_battle import share_battle
from arena.web.visitors import COOKIE
from inference_workers.models import LanguageModel
from tests.annotation.media.files import picture, told
from tests.arena.factories import answer, make_arena, make_models
from tests.arena.voting import vote
from tests.browser import DESK, PHONE, look, shoot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOKEN = "cookie-of-a-visitor-with-a-camera"
both = pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])


@pytest.fixture
def visit(open_page, site_address) -> Callable[..., Page]:
    make_models(2)
    LanguageModel.objects.update(takes_images=True)
    make_arena(takes_images=True, consent="Prompts and votes are kept.")

    def visit(viewport: dict[str, int], **context) -> Page:
        page = open_page(None, viewport, reduced_motion="reduce", **context)
        page.context.add_cookies([{"name": COOKIE, "value": TOKEN, "url": site_address}])
        page.route("**/streams/**", lambda route: route.fulfill(status=204))
        return page

    return visit


def photo(name: str, *, shade: int = 90) -> dict[str, object]:
    content = picture("JPEG", size=(1280, 960), shade=shade, exif=told())
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def is_drawn(page: Page, place: int = 0) -> bool:
    image = page.locator(".turn-picture img").nth(place)
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("complete", True)
    return int(image.evaluate("image => image.naturalWidth")) > 0


@both
def test_a_picture_is_chosen_taken_back_chosen_again_and_stands_beside_its_prompt(visit, viewport):
    page = visit(viewport, color_scheme="dark" if viewport == PHONE else "light")
    page.goto("/")
    field = page.locator("#picture")
    page.get_by_label("Your prompt").fill("What is on this picture?")
    with page.expect_file_chooser() as chooser:
        field.focus()
        page.keyboard.press("Enter")
    chooser.value.set_files([photo("IMG_0001.jpg")])
    expect(page.get_by_text("IMG_0001.jpg")).to_be_visible()
    expect(page.locator("[data-attach-preview]")).to_be_visible()
    look(page, "picture-chosen")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("IMG_0001.jpg")).to_have_count(0)
    field.set_input_files(
        [{"name": "page.png", "mimeType": "image/png", "buffer": b"<!doctype html><script>1</script>"}]
    )
    page.get_by_role("button", name="Start battle").click()
    expect(page.get_by_text("This picture cannot be taken")).to_be_visible()
    expect(page.get_by_label("Your prompt")).to_have_value("What is on this picture?")
    look(page, "picture-refused")
    page.locator("#picture").set_input_files([photo("IMG_0002.jpg")])
    page.get_by_role("button", name="Start battle").click()
    expect(page.locator(".turn-prompt")).to_have_text("What is on this picture?")
    assert is_drawn(page)
    battle = answer(Battle.objects.get())
    page.reload()
    page.get_by_label("Follow-up to both").fill("And on this one?")
    page.locator("#follow-up-picture").set_input_files([photo("IMG_0003.jpg", shade=10)])
    look(page, "picture-follow-up")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn-picture")).to_have_count(2)
    assert is_drawn(page, 1)
    answer(battle)
    assert [(each.width, each.height) for each in PersonalFile.objects.all()] == [(960, 1280)] * 2
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    vote(battle, person)
    page.reload()
    look(page, "picture-voted")
    page.goto("/mine")
    expect(page.locator(".own-battle__picture")).to_have_js_property("complete", True)
    look(page, "picture-mine")
    reader = visit(viewport)
    reader.goto(f"/shared/{share_battle(battle_id=battle.pk, person=person, now=timezone.now())}")
    expect(reader.locator(".turn-picture")).to_have_count(2)
    assert is_drawn(reader)


def test_without_script_the_field_is_the_browsers_own(visit):
    page = visit(PHONE, java_script_enabled=False)
    page.goto("/")
    page.get_by_label("Your prompt").fill("What is on this picture?")
    page.get_by_label("Add a picture").set_input_files([photo("IMG_0001.jpg")])
    shoot(page, "picture-without-script")
    page.get_by_role("button", name="Start battle").click()
    expect(page.locator(".turn-picture img")).to_be_visible()
    answer(Battle.objects.get())
    page.reload()
    page.get_by_label("Follow-up to both").fill("And on this one?")
    page.get_by_label("Add a picture").set_input_files([photo("IMG_0002.jpg", shade=10)])
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".turn-picture")).to_have_count(2)
