"""Pictures: decoded whole within a limit of pixels, and written anew without what tells of people."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from PIL import Image, features

from foundation.media.strip import ORIENTATION, BrokenImage, strip

# Of all frames of an animation together, in pictures of the largest size.
MOST_ANIMATED = 4
# Shown on a page, a side longer than this stops some browsers whatever the area.
LONGEST_SIDE = 20_000
TYPES = {
    "PNG": ("image/png", ".png"),
    "JPEG": ("image/jpeg", ".jpg"),
    "WEBP": ("image/webp", ".webp"),
    "GIF": ("image/gif", ".gif"),
    "AVIF": ("image/avif", ".avif"),
}
AVIF_BRANDS = (b"avif", b"avis")
FORMATS = [name for name in TYPES if name != "AVIF" or features.check("avif")]


@dataclass(frozen=True)
class Picture:
    content_type: str
    suffix: str
    width: int
    height: int


def is_picture(head: bytes) -> bool:
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")):
        return True
    return (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or (head[4:8] == b"ftyp" and head[8:12] in AVIF_BRANDS)


def check_picture(path: Path) -> Picture:
    """Raises ValueError with the reason. What stays on the disk is what was decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are judged here, and of odd EXIF, which goes
            return _checked(path)
    except Image.DecompressionBombError as error:
        raise ValueError(f"the picture has more than {settings.MEDIA_IMAGE_MAX_PIXELS:,} pixels") from error
    except (OSError, SyntaxError, EOFError, BrokenImage) as error:
        raise ValueError("the picture cannot be decoded whole: it is broken or cut short") from error


def _checked(path: Path) -> Picture:
    with Image.open(path, formats=FORMATS) as picture:
        kind, (width, height) = str(picture.format), picture.size
        _refuse_large(width, height)
        orientation = _oriented(picture)
        if kind == "AVIF" and (picture.info.get("exif") or picture.info.get("xmp")):
            raise ValueError("the AVIF holds EXIF or XMP, which may tell of people. Save it without")
    if kind == "AVIF":
        _refuse_appended(path.read_bytes())
    else:
        path.write_bytes(strip(path.read_bytes(), kind, orientation))
    with Image.open(path, formats=[kind]) as picture:
        picture.verify()
    with Image.open(path, formats=[kind]) as picture:
        _decode(picture, width * height)
    content_type, suffix = TYPES[kind]
    if orientation > 4:
        width, height = height, width
    return Picture(content_type, suffix, width, height)


def _refuse_large(width: int, height: int) -> None:
    most = settings.MEDIA_IMAGE_MAX_PIXELS
    if width * height > most or max(width, height) > LONGEST_SIDE:
        raise ValueError(f"the picture has {width} × {height} pixels: more than {most:,}, or a side too long")


def _oriented(picture: Image.Image) -> int:
    try:
        turned = int(picture.getexif().get(ORIENTATION, 1))
    except (TypeError, ValueError, KeyError, OSError, SyntaxError):
        return 1
    return turned if 1 <= turned <= 8 else 1


def _decode(picture: Image.Image, pixels: int) -> None:
    """Every frame, so that none is broken and none is one too many."""
    most = settings.MEDIA_IMAGE_MAX_PIXELS * MOST_ANIMATED
    for number in range(getattr(picture, "n_frames", 1)):
        if (number + 1) * pixels > most:
            raise ValueError(f"the animation has more than {most:,} pixels in all its frames")
        picture.seek(number)
        picture.load()


def _refuse_appended(content: bytes) -> None:
    """Boxes from end to end: what was hung on the end is no picture."""
    place = 0
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        if length < 8 or not content[place + 4 : place + 8].isalnum():
            raise ValueError("something that is no picture stands behind the picture")
        place += length
    if place != len(content):
        raise BrokenImage("the file ends early")
