"""Nothing of who made a file is left in what visitors see blind, and all pictures and sounds are of one kind."""

import io

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from foundation.media.check import check_media
from foundation.media.kinds import MediaKind
from foundation.media.store import media_path
from foundation.media.uniform import write_uniform
from inference_workers.tasks import files as keeping
from inference_workers.tasks.files import FileRefused
from tests.annotation.media.files import picture
from tests.arena.filing import VENDOR, telling_film, telling_picture, telling_sound
from tests.inference_workers.kept_files import kept_file

pytestmark = pytest.mark.django_db
MOST = 10_000_000
# How to make each, what it is, and the words of makers in it.
TELLING = {
    "png": (lambda: telling_picture("PNG"), "image", (VENDOR,)),
    "jpeg": (lambda: telling_picture("JPEG"), "image", (VENDOR,)),
    "webp": (lambda: telling_picture("WEBP"), "image", (VENDOR,)),
    "mp3": (lambda: telling_sound("mp3", "libmp3lame"), "audio", (VENDOR, b"LAME")),
    "ogg": (lambda: telling_sound("ogg", "libopus"), "audio", (VENDOR,)),
    "m4a": (lambda: telling_sound("mp4", "aac"), "audio", (VENDOR, b"Lavc")),
    "wav": (lambda: telling_sound("wav", "pcm_s16le"), "audio", (VENDOR,)),
    "mp4": (telling_film, "video", (VENDOR, b"x264")),
}


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def kept(content: bytes, output: str) -> tuple[str, bytes]:
    with kept_file(content, output, most=MOST, uniform=True) as file:
        return file.content_type, media_path(file.stored).read_bytes()


def told(content: bytes) -> bytes:
    """What stands in a file, with what a picture's packed profile of colours says."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            packed = picture.info.get("icc_profile", b"")
    except UnidentifiedImageError:
        packed = b""
    return content + (content + packed).replace(b"\0", b"")


@pytest.mark.parametrize("name", TELLING)
def test_no_makers_name_is_left_and_all_are_of_one_kind(name):
    make, output, words = TELLING[name]
    came = make()
    assert all(word in told(came) for word in words)
    content_type, content = kept(came, output)
    assert not [word for word in words if word in told(content)]
    assert content_type == {"image": "image/png", "audio": "audio/flac", "video": "video/mp4"}[output]


@pytest.mark.parametrize("name", ["jpeg", "webp", "png", "mp3", "m4a", "mp4"])
def test_control_as_campaigns_keep_them_a_maker_can_still_be_read(name, monkeypatch):
    """Their pictures keep their colours' profile, and sounds and films what is coded into them."""
    make, output, words = TELLING[name]
    monkeypatch.setattr(keeping, "write_uniform", lambda path, kind: None)
    _type, content = kept(make(), output)
    assert [word for word in words if word in told(content)]


def test_a_picture_keeps_its_pixels(tmp_path):
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 90}), ("WEBP", {"lossless": True})):
        path = tmp_path / kind
        path.write_bytes(picture(kind, **options))
        before = np.asarray(Image.open(path).convert("RGB"))
        write_uniform(path, MediaKind.IMAGE)
        with Image.open(path) as after:
            assert (after.format, after.mode, dict(after.info)) == ("PNG", "RGB", {})
            assert (np.asarray(after) == before).all()


def test_what_is_seen_through_stays_so_and_what_lay_on_its_side_stands(tmp_path):
    path = tmp_path / "a"
    Image.new("RGBA", (8, 4), (10, 20, 30, 40)).save(path, "PNG")
    write_uniform(path, MediaKind.IMAGE)
    with Image.open(path) as seen:
        assert (seen.mode, seen.getpixel((0, 0))) == ("RGBA", (10, 20, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 4)).save(path, "JPEG", exif=exif)
    write_uniform(path, MediaKind.IMAGE)
    with Image.open(path) as turned:
        assert turned.size == (4, 8)


def test_sounds_of_any_kind_last_as_long_as_they_did(tmp_path):
    for name in ("mp3", "ogg", "m4a", "wav"):
        path = tmp_path / name
        path.write_bytes(TELLING[name][0]())
        before = check_media(path, name).seconds
        write_uniform(path, MediaKind.AUDIO)
        after = check_media(path, name)
        assert (after.content_type, after.suffix) == ("audio/flac", ".flac")
        assert abs(after.seconds - before) < 0.1


def test_an_animation_is_no_picture(tmp_path):
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 200)]
    path = tmp_path / "a.gif"
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(FileRefused, match="animation"):
        kept(path.read_bytes(), "image")
