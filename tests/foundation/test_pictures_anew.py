"""A picture that a person adds to their words: only what is seen of it is kept."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from foundation.media import anew
from foundation.media.anew import LONGEST_SIDE, made_anew
from foundation.media.check import BadMedia
from tests.annotation.media.files import PLACE, film, picture, told

# What people may find in their files: of a camera, of a place, of a program, of a page that hides behind the picture.
WORDS = (b"Some Camera", b"GPS", b"Exif", b"Software", b"Maker of pictures", b"<script", b"ICC", b"xmp", b"XMP")
PAGE = b"<!doctype html><script>alert(1)</script>"


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def talkative_png() -> bytes:
    """With words of a program and XMP before its pixels, and a page behind its end."""
    plain = picture("PNG")
    words = chunk(b"tEXt", b"Software\x00Maker of pictures")
    words += chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00<x>")
    return plain[:33] + words + plain[33:] + PAGE


def talkative_jpeg() -> bytes:
    return picture("JPEG", exif=told(), comment=PAGE, icc_profile=b"ICC and whatever " * 9) + PAGE


@pytest.mark.parametrize("content", [talkative_png(), talkative_jpeg()], ids=["png", "jpeg"])
def test_nothing_but_the_picture_is_kept(content):
    assert any(word in content for word in WORDS)
    new = made_anew(content, "holiday")
    assert [word for word in WORDS if word in new.content] == []
    found = opened(new.content)
    assert (found.size, dict(found.getexif()), found.getexif().get_ifd(PLACE)) == ((new.width, new.height), {}, {})


def test_control_a_picture_that_is_only_copied_tells_of_camera_and_place(monkeypatch):
    monkeypatch.setattr(anew, "check_picture", lambda path: None)
    copied = lambda image: anew.NewPicture(Path(image.filename).read_bytes(), "image/jpeg", *image.size)  # noqa: E731
    monkeypatch.setattr(anew, "_drawn", copied)
    kept = made_anew(talkative_jpeg(), "holiday").content
    assert b"Some Camera" in kept
    assert opened(kept).getexif().get_ifd(PLACE) != {}
    assert kept.endswith(PAGE)


def test_it_stands_upright_and_is_no_larger_than_models_see():
    lying = made_anew(picture("JPEG", size=(64, 48), exif=told()), "lying")
    assert ((lying.width, lying.height), lying.content_type) == ((48, 64), "image/jpeg")
    large = made_anew(picture("JPEG", size=(4200, 1000)), "large")
    assert (large.width, large.height) == (LONGEST_SIDE, round(LONGEST_SIDE * 1000 / 4200))


def test_drawings_stay_sharp_see_through_ones_see_through_and_photographs_small():
    with io.BytesIO() as out:
        Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(out, "PNG")
        glass = made_anew(out.getvalue(), "glass")
    assert (glass.content_type, opened(glass.content).getpixel((0, 0))) == ("image/png", (255, 0, 0, 0))
    with io.BytesIO() as out:
        Image.effect_noise((1500, 1500), 90).convert("RGB").save(out, "PNG")
        noise = made_anew(out.getvalue(), "noise")
    assert (noise.content_type, len(noise.content) < 3_500_000) == ("image/jpeg", True)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_what_browsers_show_is_taken(kind):
    new = made_anew(picture(kind), "any")
    assert (opened(new.content).size, new.width, new.height) == ((64, 48), 64, 48)


def test_sixteen_bits_and_the_printers_colours_are_what_they_look_like():
    with io.BytesIO() as out:
        Image.new("I;16", (4, 4), 32768).save(out, "PNG")
        grey = opened(made_anew(out.getvalue(), "grey").content)
    assert grey.getpixel((0, 0)) == (128, 128, 128)
    with io.BytesIO() as out:
        Image.new("CMYK", (16, 16), (0, 0, 0, 0)).save(out, "JPEG")
        assert opened(made_anew(out.getvalue(), "print").content).getpixel((0, 0)) == (255, 255, 255)


def bomb() -> bytes:
    """A PNG of 60,000 × 60,000 pixels that says so in some hundred bytes."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00" * 1000)) + chunk(b"IEND", b"")


REFUSED = {
    "nothing": (b"", "is empty"),
    "words": (b"Dear all, this is no picture.", "is no picture"),
    "a page that calls itself one": (PAGE, "is no picture"),
    "a page behind the first bytes of a GIF": (b"GIF89a" + PAGE, "broken or cut short"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "SVG is not taken"),
    "a film": (film(), "is no picture"),
    "one that is cut short": (picture("JPEG", size=(640, 480))[:-900], "broken or cut short"),
    "a bomb": (bomb(), "pixels"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_whole_picture_is_refused_with_the_reason(content, reason):
    with pytest.raises(BadMedia) as refused:
        made_anew(content, "what.png")
    assert reason in refused.value.reason
    assert refused.value.name == "what.png"
