"""Captions of films: known by their content, given to whoever may see the film, and to nobody else."""

import os
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from annotation.models import Campaign, MediaFile
from annotation.queries.media import digest_of
from annotation.use_cases.receive_media import MediaRefused
from annotation.use_cases.sweep_media import sweep_media
from foundation.media.store import media_path
from tests.annotation.media.files import film, packed, received
from tests.annotation.media.items import annotator, show_files
from tests.factories import PREFERENCE, make_campaign, make_user

pytestmark = pytest.mark.django_db

CAPTIONS = """\ufeffWEBVTT - a walk

NOTE by ear

00:00.000 --> 00:00.400
Guten Tag

00:00:00.500 --> 00:00:01.000 line:0
Adé
"""


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(slug="films", questions=[PREFERENCE])


def captions_of(name: str) -> str:
    stored = MediaFile.objects.get(name=name).captions
    return media_path(stored).read_bytes().decode() if stored else ""


def refused(campaign: Campaign, files: dict[str, bytes]) -> list[str]:
    with pytest.raises(MediaRefused) as refusal:
        received(campaign, files)
    return [str(problem) for problem in refusal.value.problems]


def test_captions_come_with_their_film_or_later_and_the_last_ones_hold(campaign):
    came = received(campaign, {"all.zip": packed({"a.webm": film(), "a.vtt": CAPTIONS.encode()})})
    assert (came.new, came.captions, [each.name for each in came.files]) == (1, 1, ["a.webm"])
    assert captions_of("a.webm") == CAPTIONS
    received(campaign, {"b.webm": film(seconds=0.5)})
    assert captions_of("b.webm") == ""
    later = received(campaign, {"b.vtt": CAPTIONS.encode(), "a.vtt": CAPTIONS.replace("Tag", "Abend").encode()})
    assert (later.new, later.captions) == (0, 2)
    assert (captions_of("b.webm"), "Guten Abend" in captions_of("a.webm")) == (CAPTIONS, True)
    assert MediaFile.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"WEBVTT\n\nHello.", "hold no cue"),
        (b"WEBVTT\n\n00:02.000 --> 00:01.000\nx", "line 3 of the captions has no time that ends after it begins"),
        (b"WEBVTT\n\n0:02 --> 0:05\nx", "line 3 of the captions"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n\xff", "text in UTF-8"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nx", "no picture, sound or film"),
        (b"WEBVTTX\n", "no picture, sound or film"),
    ],
    ids=["no cue", "backwards", "no milliseconds", "not UTF-8", "SRT", "another word"],
)
def test_what_is_no_captions_is_refused_whatever_it_is_called(campaign, content, words):
    (said,) = refused(campaign, {"a.vtt": content})
    assert said.startswith("a.vtt: ")
    assert words in said


def test_captions_without_a_film_of_their_name_are_refused_and_so_is_all_that_came_with_them(campaign):
    (said,) = refused(campaign, {"a.webm": film(), "b.vtt": CAPTIONS.encode()})
    assert "b.vtt: no film of the campaign is called so" in said
    assert not MediaFile.objects.exists()


def test_whoever_has_the_item_gets_the_captions_of_its_films_and_nobody_else(campaign):
    received(campaign, {"a.webm": film(), "b.webm": film(seconds=0.5), "a.vtt": CAPTIONS.encode()})
    show_files(campaign, list(MediaFile.objects.order_by("name")))
    client = annotator(campaign)
    page = client.get("/annotate/films/item").content.decode()
    (track,) = re.findall(r'<track kind="captions" src="([^"]+)" label="Captions">', page)
    got = client.get(track)
    assert (got.status_code, got["Content-Type"]) == (200, "text/vtt; charset=utf-8")
    assert b"".join(got.streaming_content).decode() == CAPTIONS
    assert digest_of(MediaFile.objects.get(name="a.webm").captions) not in page + str(dict(got.items()))
    (without,) = set(re.findall(r'<video[^>]* src="([^"]+)"', page)) - {track.split("?")[0]}
    assert client.get(f"{without}?captions").status_code == 404
    other = Client()
    other.force_login(make_user())
    assert other.get(track).status_code == 404


def test_an_admin_sees_which_films_have_captions(campaign):
    received(campaign, {"a.webm": film()})
    admin = Client()
    admin.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    assert "with captions" not in admin.get("/campaigns/films/media").content.decode()
    sent = admin.post(
        "/campaigns/films/media", {"file": [SimpleUploadedFile("a.vtt", CAPTIONS.encode())]}
    ).content.decode()
    assert ("1 film has captions now." in sent, "with captions" in sent) == (True, True)
    assert "Captions of 1 film uploaded" in admin.get("/campaigns/films").content.decode()
    (track,) = re.findall(r'<track kind="captions" src="([^"]+)"', sent)
    assert admin.get(track)["Content-Type"].startswith("text/vtt")


def test_the_sweeper_leaves_captions_that_a_film_has_and_removes_those_before_them(campaign):
    received(campaign, {"a.webm": film(), "a.vtt": CAPTIONS.encode()})
    first = media_path(MediaFile.objects.get().captions)
    received(campaign, {"a.vtt": CAPTIONS.replace("Tag", "Abend").encode()})
    for path in first.parent.parent.glob("??/*"):
        os.utime(path, (0, 0))
    assert sweep_media(now=timezone.now()) == 1
    assert (first.exists(), "Guten Abend" in captions_of("a.webm")) == (False, True)
