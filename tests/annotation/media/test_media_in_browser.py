"""Media in a real browser: sounds that must be played, images enlarged together, and an admin who uploads."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.enums import Role
from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign, Draft, Judgment
from annotation.policies.templates import starting_points
from annotation.use_cases.invite_people import invite_people
from annotation.use_cases.join_campaign import join_by_invitation
from annotation.use_cases.start_campaign import start_campaign
from tests.annotation.media.files import film, one, picture, received, sound
from tests.annotation.media.items import show_files
from tests.browser import DESK, PHONE, look
from tests.factories import PREFERENCE, make_campaign, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Turned on as the player's own menu does it; a track that the page's policy kept out has no cues.
CAPTIONS_SHOWN = """() => {
    const track = document.querySelector('[data-letter=B][data-player]').textTracks[0];
    track.mode = 'showing';
    return track.cues && track.cues.length === 1;
}"""


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def at_work(open_page) -> Callable[..., Page]:
    def at_work(campaign: Campaign, viewport: dict[str, int], **values) -> Page:
        user = make_user()
        _invitation, token = invite_people(campaign_id=campaign.pk, name="All", actor=None, now=timezone.now())
        join_by_invitation(token=token, person=person_of_user(user=user, now=timezone.now()), now=timezone.now())
        return open_page(f"/annotate/{campaign.slug}/item", viewport, user=user, reduced_motion="reduce", **values)

    return at_work


def sounds(*, share: float | None = 0.9) -> Campaign:
    campaign = make_campaign(questions=[PREFERENCE], name="Bells")
    campaign.played_share = share
    campaign.save(update_fields=["played_share"])
    show_files(campaign, [one(campaign, "a.wav", sound(3.0)), one(campaign, "b.wav", sound(3.0, pitch=300))])
    return campaign


def position(page: Page, letter: str) -> float:
    return page.evaluate("letter => document.querySelector(`[data-letter=${letter}][data-player]`).currentTime", letter)


def expect_playing(page: Page, letter: str) -> None:
    """A player is paused for a moment more after it was told to play."""
    page.wait_for_function(
        """letter => {
            const heard = [...document.querySelectorAll('[data-player]')].filter(p => !p.paused)
            return heard.length === 1 && heard[0].dataset.letter === letter
        }""",
        arg=letter,
    )


def test_a_pair_of_sounds_is_played_by_keys_before_it_is_answered(at_work):
    campaign = sounds()
    page = at_work(campaign, DESK)
    look(page, "audio-pair")
    gate = page.locator("[data-gate]")
    expect(gate).to_contain_text("A, B")
    page.keyboard.press("a")
    page.keyboard.press("Control+Enter")
    assert page.evaluate("document.activeElement.dataset.letter") == "A"
    assert not Judgment.objects.exists()

    page.keyboard.press("q")
    page.wait_for_function("() => document.querySelector('[data-letter=A][data-player]').currentTime > 0.4")
    page.keyboard.press("s")
    page.wait_for_function("() => document.querySelector('[data-letter=B][data-player]').currentTime > 0.4")
    expect_playing(page, "B")
    expect(gate).to_contain_text("A, B")
    page.keyboard.press("q")
    expect_playing(page, "A")
    expect(gate).to_contain_text("submit: B", timeout=10_000)
    # From its middle to its end is not the whole of it.
    page.wait_for_function("() => document.querySelector('[data-letter=A][data-player]').ended")
    page.keyboard.press("w")
    page.wait_for_function("() => document.querySelector('[data-letter=B][data-player]').ended")
    expect(gate).to_contain_text("submit: B")
    page.keyboard.press("w")
    expect(gate).to_contain_text("Everything has been played.", timeout=10_000)
    look(page, "audio-pair-played")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Nothing to do at the moment")).to_be_visible()
    shares = Judgment.objects.get().media_played
    assert len(shares) == 2
    assert min(shares) >= 0.9


def test_what_was_played_is_kept_with_the_draft(at_work):
    page = at_work(sounds(), PHONE)
    look(page, "audio-pair")
    page.get_by_role("button", name="Play or pause A").click()
    page.wait_for_function("() => document.querySelector('[data-letter=A][data-player]').ended")
    expect(page.locator("[data-saved-state]")).to_have_text("Saved")
    assert Draft.objects.exists()
    page.reload()
    expect(page.locator("[data-gate]")).to_contain_text("submit: B")
    assert page.locator("[data-played]").first.inner_text() == "100"


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_images_are_enlarged_together_and_moved_by_keys(at_work, viewport):
    campaign = make_campaign(questions=[PREFERENCE], name="Lights")
    files = [one(campaign, f"{shade}.png", picture(size=(1200, 900), shade=shade)) for shade in (10, 120)]
    media = one(campaign, "map.png", picture(size=(300, 200), shade=60))
    show_files(campaign, files, prompt=f"A light over water, as here: ![A sketch of light](media:{media.sha256})")
    page = at_work(campaign, viewport)
    expect(page.get_by_role("img", name="Response A")).to_be_visible()
    look(page, "image-pair")
    page.keyboard.press("z")
    dialog = page.get_by_role("dialog", name="Images, enlarged")
    expect(dialog).to_be_visible()
    look(page, "image-pair-enlarged")
    before = dialog.locator("[data-zoom-level]").inner_text()
    for key in ("+", "+", "+", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert dialog.locator("[data-zoom-level]").inner_text() != before
    styles = dialog.locator("img").evaluate_all("images => images.map(image => image.style.cssText)")
    assert len(styles) == 2
    assert len(set(styles)) == 1
    page.keyboard.press("b")  # answers nothing behind the dialog
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.locator("input[name=preference]:checked").count() == 0
    page.get_by_role("link", name="Response B").click()
    expect(dialog).to_be_visible()


def test_films_beside_each_other(at_work):
    campaign = make_campaign(questions=[PREFERENCE], name="Films")
    show_files(campaign, [one(campaign, "a.webm", film()), one(campaign, "b.webm", film(seconds=2))])
    received(campaign, {f"{name}.vtt": b"WEBVTT\n\n00:00.100 --> 00:09.000\nWalking" for name in "ab"})
    page = at_work(campaign, DESK)
    page.wait_for_function(CAPTIONS_SHOWN)
    page.get_by_role("button", name="Play or pause B").click()
    page.wait_for_function("() => document.querySelector('[data-letter=B][data-player]').currentTime > 0.3")
    look(page, "film-pair")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_an_admin_uploads_and_puts_a_picture_into_the_guidelines(open_page, viewport, tmp_path):
    campaign = make_campaign(questions=[PREFERENCE], name="Lights", running=False)
    page = open_page(f"/campaigns/{campaign.slug}/media", viewport, user=make_user(role=Role.CAMPAIGN_ADMIN))
    files = {"cat.png": picture(size=(300, 200)), "tone.wav": sound(), "page.png": b"<html>"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page.get_by_label("Files").set_input_files([tmp_path / "cat.png", tmp_path / "page.png"])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("page.png: its content is no picture").first).to_be_visible()
    page.get_by_label("Files").set_input_files([tmp_path / "cat.png", tmp_path / "tone.wav"])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("2 files are new.")).to_be_visible()
    look(page, "media")

    page.goto(f"/campaigns/{campaign.slug}/edit/guidelines")
    page.get_by_label("Guidelines, in Markdown").fill("Look at this:\n\n")
    page.get_by_label("Put a picture, a sound or a film in").set_input_files(tmp_path / "cat.png")
    expect(page.locator("#read img")).to_be_visible()
    page.keyboard.type("A cat")
    assert page.get_by_label("Guidelines, in Markdown").input_value() == "Look at this:\n\n![A cat](media:cat.png)"
    expect(page.get_by_role("img", name="A cat")).to_be_visible()
    look(page, "guidelines-with-a-picture")


@pytest.mark.parametrize("slug", ["images", "audio"])
def test_a_campaign_without_items_shows_samples(open_page, slug):
    point = next(each for each in starting_points() if each.slug == slug)
    campaign = start_campaign(name="New", draft=point.draft, settings={}, actor=None, now=timezone.now())
    page = open_page(f"/campaigns/{campaign.slug}/preview", DESK, user=make_user(role=Role.CAMPAIGN_ADMIN))
    if slug == "images":
        assert page.locator(".media-image img").evaluate_all("images => images.map(i => i.naturalWidth)") == [720, 720]
    else:
        page.get_by_role("button", name="Play or pause A").click()
        page.wait_for_function("() => document.querySelector('[data-letter=A][data-player]').currentTime > 0.2")
    look(page, f"sample-{slug}")
