"""Media of a campaign: all of what is sent or nothing, one content one file, and no file that nobody names."""

import os
import time
import zipfile
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.use_cases.create_person import person_of_user
from annotation.enums import CampaignState
from annotation.models import MediaFile
from annotation.policies.drafts import CampaignIsClosed
from annotation.use_cases.change_campaign_state import change_campaign_state
from annotation.use_cases.copy_campaign import copy_campaign
from annotation.use_cases.discard_campaign import discard_campaign, is_untouched
from annotation.use_cases.publish_guidelines import publish_guidelines
from annotation.use_cases.receive_media import MediaRefused
from annotation.use_cases.remove_media import MediaInUse, remove_media
from annotation.use_cases.sweep_media import SECONDS_UNCLAIMED, sweep_media
from foundation.media.store import files_root, media_path
from tests.annotation.media.files import one, packed, picture, received, sound
from tests.factories import make_campaign, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def campaign():
    return make_campaign()


def on_disk() -> list[str]:
    return sorted(path.name for path in files_root().rglob("*") if path.is_file())


def refused(campaign, files) -> list[str]:
    with pytest.raises(MediaRefused) as found:
        received(campaign, files)
    return [str(problem) for problem in found.value.problems]


def remove(campaign, media) -> None:
    actor = person_of_user(user=make_user(), now=timezone.now())
    remove_media(campaign_id=campaign.pk, media_id=media.pk, actor=actor, now=timezone.now())


def test_files_and_archives_become_media_under_their_own_names(campaign):
    got = received(campaign, {"a/b/cat.png": picture(), "all.zip": packed({"x/tone.wav": sound(), "__MACOSX/x": b""})})
    assert got.new == 2
    assert {media.name: media.kind for media in got.files} == {"cat.png": "image", "tone.wav": "audio"}
    for media in MediaFile.objects.all():
        assert media_path(media.stored).stat().st_size == media.size
        assert media.sha256 in media.stored


def test_the_same_content_is_one_file_however_often_and_under_whatever_name_it_comes(campaign):
    first = one(campaign, "a.png", picture())
    assert received(campaign, {"a.png": picture()}).new == 0
    second = one(campaign, "b.png", picture())
    other = one(make_campaign(), "c.png", picture())
    assert first.stored == second.stored == other.stored
    assert len(on_disk()) == 1


def test_one_bad_file_keeps_all_of_them_out_and_every_bad_one_is_named(campaign):
    files = {"good.png": picture(), "page.png": b"<html>", "all.zip": packed({"ok.wav": sound(), "no.gif": b"GIF89a"})}
    problems = refused(campaign, files)
    assert [problem.partition(":")[0] for problem in problems] == ["page.png", "no.gif"]
    assert not MediaFile.objects.exists()
    assert on_disk() == []


def test_a_name_means_one_content(campaign):
    one(campaign, "a.png", picture())
    assert "another file of this name" in refused(campaign, {"a.png": picture(shade=7)})[0]
    both = packed({"x/a.png": picture(), "y/a.png": picture(shade=7)})
    assert "two files in it are called a.png" in refused(make_campaign(), {"all.zip": both})[0]


def test_archives_that_climb_burst_or_count_too_many_are_refused(campaign, settings, tmp_path):
    climbing = packed({"../../../evil.png": picture(), "/etc/other.png": picture(shade=3)})
    got = received(campaign, {"climbing.zip": climbing})
    assert {media.name for media in got.files} == {"evil.png", "other.png"}
    assert not (tmp_path.parent / "evil.png").exists()

    settings.MEDIA_FILE_MAX_MB, settings.MEDIA_UPLOAD_MAX_MB = 1, 2
    assert "more than 1 MB" in refused(campaign, {"bomb.zip": packed({"zeros.png": bytes(1_500_000)})})[0]
    assert "more than 2 MB" in refused(campaign, {"bombs.zip": packed({f"{n}": bytes(900_000) for n in range(3)})})[0]
    lying = packed({"zeros.png": bytes(1_500_000)}).replace(
        (1_500_000).to_bytes(4, "little"), (9).to_bytes(4, "little")
    )
    assert refused(campaign, {"lying.zip": lying})

    settings.MEDIA_UPLOAD_MAX_FILES = 2
    assert "3 files" in refused(campaign, {"many.zip": packed({f"{n}.png": b"x" for n in range(3)})})[0]
    nested = packed({"inner.zip": packed({"a.png": picture()})})
    assert refused(campaign, {"nested.zip": nested})[0].startswith("inner.zip:")
    assert "no file" in refused(campaign, {"empty.zip": packed({})})[0]
    assert "broken" in refused(campaign, {"cut.zip": packed({"a.png": picture()})[:-30]})[0]


def test_a_closed_campaign_takes_no_media(campaign):
    change_campaign_state(
        campaign_id=campaign.pk, to=CampaignState.CLOSED, actor=None, reason="test", now=timezone.now()
    )
    with pytest.raises(CampaignIsClosed):
        received(campaign, {"a.png": picture()})
    assert on_disk() == []


def test_a_file_that_a_version_of_the_guidelines_shows_stays_and_another_goes(campaign):
    shown, unused = one(campaign, "a b.png", picture()), one(campaign, "c.png", picture(shade=9))
    publish_guidelines(campaign_id=campaign.pk, text="See ![this](<media:a b.png>)", now=timezone.now())
    publish_guidelines(campaign_id=campaign.pk, text="No picture any more.", now=timezone.now())
    with pytest.raises(MediaInUse):
        remove(campaign, shown)
    remove(campaign, unused)
    assert [media.name for media in MediaFile.objects.all()] == ["a b.png"]


def test_a_copy_of_a_campaign_has_what_its_texts_show_and_is_discarded_with_it():
    campaign = make_campaign(running=False)
    one(campaign, "a.png", picture())
    one(campaign, "b.png", picture(shade=9))
    campaign.draft = {"guidelines": "![x](media:a.png)"}
    campaign.save(update_fields=["draft"])
    copy = copy_campaign(campaign_id=campaign.pk, name="Copy", actor=None, now=timezone.now())
    assert [media.name for media in copy.media.all()] == ["a.png"]
    assert is_untouched(copy)
    discard_campaign(campaign_id=copy.pk, actor=None, now=timezone.now())
    assert campaign.media.count() == 2
    assert len(on_disk()) == 2
    held = copy_campaign(campaign_id=campaign.pk, name="Held", actor=None, now=timezone.now())
    one(held, "own.png", picture(shade=30))
    assert not is_untouched(held)


def test_the_sweeper_removes_old_files_that_nobody_names_and_no_others(campaign):
    kept, gone = one(campaign, "a.png", picture()), one(campaign, "b.png", picture(shade=9))
    young = one(campaign, "c.png", picture(shade=3))
    left = files_root() / "unfinished-abc"
    left.mkdir()
    (left / "0").write_bytes(b"half")
    for media in (gone, young):
        remove(campaign, media)
    long_ago = time.time() - SECONDS_UNCLAIMED - 60
    for path in (media_path(kept.stored), media_path(gone.stored), left):
        os.utime(path, (long_ago, long_ago))
    assert sweep_media(now=timezone.now()) == 2
    assert on_disk() == sorted(Path(media.stored).name for media in (kept, young))


def test_an_archive_with_a_password_is_refused(campaign, tmp_path):
    path = tmp_path / "locked.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", picture())
    content = bytearray(path.read_bytes())
    for start in (b"PK\x03\x04", b"PK\x01\x02"):
        content[content.index(start) + (6 if start == b"PK\x03\x04" else 8)] |= 1
    assert "encrypted" in refused(campaign, {"locked.zip": bytes(content)})[0]
