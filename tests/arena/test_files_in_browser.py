"""A battle of images, sounds or films from its prompt to its reveal, on a phone and on a desk."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Person
from annotation.models import Judgment
from arena.models import Battle
from tests.annotation.media.files import film, picture, sound
from tests.arena.filing import arena_of_files, work
from tests.browser import DESK, PHONE, look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FILES = {
    "image": (picture(size=(1200, 900), shade=10), picture(size=(1200, 900), shade=120)),
    "audio": (sound(5.0), sound(5.0, pitch=300)),
    "video": (film(seconds=5.0), film(seconds=5.5)),
}
ASKS = {"image": "Describe an image", "audio": "Write what is to be heard", "video": "Describe a film"}
# A scheme that was just switched is not on every element at once, and axe measures the one against the other.
PAINTED = """async scheme => {
  for (let look = 0; look < 100; look++) {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.all(document.getAnimations().map(each => each.finished.catch(() => null)));
    const light = each => getComputedStyle(each).color.match(/[0-9.]+/g).slice(0, 3).every(part => part > 127);
    const quiet = [...document.querySelectorAll("header .button--quiet, .composer + * .button--small, h2")];
    if (quiet.every(each => light(each) === (scheme === "dark"))) return;
  }
  throw new Error(`the page is not ${scheme} yet`);
}"""
# More than half, and long before the end also on a busy machine.
PLAYED = "letter => document.querySelector(`[data-letter=${letter}][data-player]`).currentTime > 2.8"


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def look_twice(page: Page, name: str) -> None:
    """By day and by night."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(PAINTED, scheme)
        look(page, f"{name}-{scheme}")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("output", FILES)
def test_a_visitor_asks_waits_looks_or_listens_and_votes(open_page, output, viewport):
    slug = arena_of_files(output).campaign.slug
    page = open_page(None, viewport, reduced_motion="reduce")
    # Streams are another server's; a page whose stream is refused looks again after two seconds.
    page.route("**/streams/**", lambda route: route.fulfill(status=204))
    page.goto(f"/arenas/{slug}")
    page.get_by_placeholder(ASKS[output]).fill("A bell that rings over water.")
    page.get_by_role("button", name="Start battle").click()
    expect(page.get_by_text("Both appear at once, when both are done.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    look_twice(page, f"{output}-waiting")
    work(*FILES[output])
    if output == "image":
        look_at_pictures(page)
    page.locator("label.choice__option:has(input[name='preference'][value='a'])").click()
    if output != "image":
        play(page)
    look_twice(page, f"{output}-battle")
    page.get_by_role("button", name="Vote and reveal the models").click()
    expect(page.locator(".reveal__name")).to_have_count(2)
    look_twice(page, f"{output}-voted")
    battle = Battle.objects.get(pk=UUID(page.url.rsplit("/", 1)[1]))
    judgment = Judgment.objects.get(item=battle.item)
    assert judgment.preference == "a"
    assert (judgment.media_played is None) == (output == "image")
    assert Person.objects.filter(pk=battle.assignment.respondent.person_id).exists()


def look_at_pictures(page: Page) -> None:
    for letter in "AB":
        expect(page.get_by_role("img", name=f"Response {letter}")).to_be_visible()
    page.get_by_role("button", name="Enlarge").click()
    dialog = page.get_by_role("dialog", name="Images, enlarged")
    expect(dialog).to_be_visible()
    page.keyboard.press("+")
    styles = dialog.locator("img").evaluate_all("images => images.map(image => image.style.cssText)")
    assert (len(styles), len(set(styles))) == (2, 1)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def play(page: Page) -> None:
    gate = page.locator("[data-gate]")
    expect(gate).to_contain_text("A, B")
    # Nothing is sent before; the first that is left to play is brought into view.
    page.get_by_role("button", name="Vote and reveal the models").click()
    assert page.evaluate("document.activeElement.dataset.letter") == "A"
    page.get_by_role("button", name="Play or pause A").click()
    page.wait_for_function(PLAYED, arg="A")
    # To the other one at the same moment, and from its beginning.
    page.get_by_role("button", name="Switch at this moment").click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-player]')].filter(p => !p.paused).map(p => p.dataset.letter) == 'B'"
    )
    page.evaluate("document.querySelector('[data-letter=B][data-player]').currentTime = 0")
    page.wait_for_function(PLAYED, arg="B")
    page.get_by_role("button", name="Play or pause B").click()
    expect(gate).to_contain_text("Everything has been played.")
