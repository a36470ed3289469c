"""What is taken as media, by content alone, and what is kept of it."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from foundation.media.check import BadMedia, CheckedMedia, check_media
from tests.annotation.media.files import PLACE, film, packed, picture, sound, told


def checked(folder: Path, content: bytes, name: str = "a file") -> CheckedMedia:
    path = folder / "given"
    path.write_bytes(content)
    return check_media(path, name)


def refusal(folder: Path, content: bytes, name: str = "a file") -> str:
    with pytest.raises(BadMedia) as refused:
        checked(folder, content, name)
    assert refused.value.name == name
    return refused.value.reason


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_a_picture_is_what_its_content_says_whatever_it_is_called(tmp_path, kind):
    found = checked(tmp_path, picture(kind), "letter.txt")
    assert (found.kind, found.content_type) == ("image", f"image/{kind.lower()}")
    assert (found.width, found.height, found.seconds) == (64, 48, None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_kept_without_what_tells_of_people_and_pixel_for_pixel(tmp_path, kind):
    content = picture(kind, exif=told(), comment=b"taken by me") if kind == "JPEG" else picture(kind, exif=told())
    assert b"Some Camera" in content
    found = checked(tmp_path, content + b"<script>alert(1)</script>" if kind != "WEBP" else content)
    kept = (tmp_path / "given").read_bytes()
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(kept)) as after:
        assert after.tobytes() == before.tobytes()
        assert dict(after.getexif()) == {0x0112: 6}
        assert not after.getexif().get_ifd(PLACE)
    assert b"Some Camera" not in kept
    assert b"taken by me" not in kept
    assert b"script" not in kept
    # It is shown lying the other way.
    assert (found.width, found.height) == (48, 64)


def test_an_animation_keeps_its_frames_and_loses_its_comment(tmp_path):
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 90, 200)]
    with io.BytesIO() as out:
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=b"by me")
        checked(tmp_path, out.getvalue())
    with Image.open(tmp_path / "given") as kept:
        assert (kept.n_frames, kept.info.get("loop"), kept.info.get("comment")) == (3, 0, None)


def test_an_avif_that_tells_of_its_camera_is_refused(tmp_path):
    assert "EXIF" in refusal(tmp_path, picture("AVIF", exif=told()))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_a_picture_cut_short_is_refused(tmp_path, kind):
    content = picture(kind)
    assert "cut short" in refusal(tmp_path, content[: len(content) * 2 // 3])


def test_what_is_no_media_is_refused_whatever_its_name_says(tmp_path):
    hostile = {
        "page.png": b"<!doctype html><script>alert(1)</script>",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "concat.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "old.bmp": picture("BMP"),
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    }
    for name, content in hostile.items():
        assert refusal(tmp_path, content, name)
    assert refusal(tmp_path, b"") == "the file is empty"
    assert "SVG" in refusal(tmp_path, hostile["drawing.svg"])


def test_a_page_that_begins_as_a_picture_is_no_picture_and_a_picture_that_ends_as_a_page_ends_as_a_picture(tmp_path):
    assert refusal(tmp_path, b"GIF89a/*<script>alert(1)</script>*/")
    checked(tmp_path, picture("GIF") + b"<script>alert(1)</script>" + packed({"a.js": b"alert(1)"}))
    kept = (tmp_path / "given").read_bytes()
    assert kept.endswith(b";")
    assert b"script" not in kept
    assert refusal(tmp_path, picture("AVIF") + b"<script>alert(1)</script>")


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused_before_it_is_unpacked(tmp_path, settings):
    settings.MEDIA_IMAGE_MAX_PIXELS = 1_000_000
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    bomb += chunk(b"IDAT", zlib.compress(bytes(1_000_000))) + chunk(b"IEND", b"")
    assert "pixels" in refusal(tmp_path, bomb)
    assert "pixels" in refusal(tmp_path, picture(size=(1200, 900)))
    assert checked(tmp_path, picture(size=(1000, 900))).width == 1000
    assert "pixels" in refusal(tmp_path, picture(size=(20_001, 1)))
    with io.BytesIO() as out:
        frames = [Image.new("1", (1000, 1000), number % 2) for number in range(6)]
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
        assert "frames" in refusal(tmp_path, out.getvalue())


def test_a_sound_and_films_are_measured_to_their_last_packet(tmp_path):
    heard = checked(tmp_path, sound(1.5), "picture.png")
    assert (heard.kind, heard.content_type, heard.seconds, heard.width) == ("audio", "audio/wav", 1.5, None)
    for container, codec in (("webm", "libvpx"), ("mp4", "libx264")):
        seen = checked(tmp_path, film(container, codec, seconds=2))
        assert (seen.kind, seen.content_type) == ("video", f"video/{container}")
        assert (seen.width, seen.height, round(seen.seconds or 0, 2)) == (64, 48, 2.0)


def test_sounds_and_films_that_are_cut_short_or_do_not_play_everywhere_are_refused(tmp_path):
    assert "cut short" in refusal(tmp_path, sound(2)[:9000])
    assert "cut short" in refusal(tmp_path, film("mp4", "libx264", seconds=3)[:-800])
    assert "mpeg4" in refusal(tmp_path, film("mp4", "mpeg4"))
    assert "seconds" in refusal(tmp_path, sound(0.01))
    assert refusal(tmp_path, b"OggS" + bytes(400))


def test_a_film_that_tells_where_it_was_made_is_refused(tmp_path):
    assert "where it was recorded" in refusal(tmp_path, film("mp4", "libx264", place="+52.5+013.4/"))


def test_a_file_over_the_limit_is_refused_by_its_size(tmp_path, settings):
    settings.MEDIA_FILE_MAX_MB = 0
    assert "more than 0 MB" in refusal(tmp_path, picture())
