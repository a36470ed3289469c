"""A picture that a person adds to their words, made anew: only its pixels are kept."""

import tempfile
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from foundation.media.check import LONGEST_HEAD, BadMedia
from foundation.media.picture import check_picture, is_picture

# As models see it; a larger one costs more and tells them no more.
LONGEST_SIDE = 2048
QUALITY = 88
# A photograph that was saved as PNG goes on as JPEG.
LARGEST_PNG = 1_500_000
JPEG, PNG = "image/jpeg", "image/png"


@dataclass(frozen=True)
class NewPicture:
    """A JPEG, or a PNG where there are sharp edges to keep; upright, and without a word about anybody."""

    content: bytes
    content_type: str
    width: int
    height: int


def made_anew(content: bytes, name: str) -> NewPicture:
    """What people see of a picture, and nothing else of its file: no place, camera, comment, preview, profile, second
    frame or hidden document. Its first frame, upright, its longest side at most 2,048 pixels.

    Raises BadMedia with the reason for what is no picture, is broken, or has too many pixels.
    """
    head = content[:LONGEST_HEAD]
    if not content:
        raise BadMedia(name, "the file is empty")
    if b"<svg" in head.lower() and not is_picture(head):
        raise BadMedia(name, "SVG is not taken: it can hold scripts. Save it as PNG")
    if not is_picture(head):
        raise BadMedia(name, "its content is no picture: PNG, JPEG, WebP, GIF and AVIF are taken")
    with tempfile.TemporaryDirectory(prefix="picture-") as folder:
        path = Path(folder) / "picture"
        path.write_bytes(content)
        try:
            check_picture(path)
        except ValueError as error:
            raise BadMedia(name, str(error)) from error
        with warnings.catch_warnings(), Image.open(path) as picture:
            warnings.simplefilter("ignore")
            return _drawn(picture)


def _drawn(picture: Image.Image) -> NewPicture:
    has_edges = picture.format in ("PNG", "GIF")
    if picture.format == "JPEG":
        # Decoded at a half or a quarter where that is enough.
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    upright = ImageOps.exif_transpose(picture)
    see_through = upright.has_transparency_data
    plain = _eight_bits(upright).convert("RGBA" if see_through else "RGB")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if has_edges or see_through:
        written = _written(plain, "PNG")
        if len(written) <= LARGEST_PNG:
            return NewPicture(written, PNG, *plain.size)
    return NewPicture(_written(plain, "JPEG"), JPEG, *plain.size)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Of sixteen the upper half: converted as it is, all but the darkest would be white."""
    if not picture.mode.startswith("I"):
        return picture
    return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _written(picture: Image.Image, kind: str) -> bytes:
    """Of a new image, which has none of the info that a writer would take along; as JPEG on white."""
    fresh = Image.new(picture.mode if kind == "PNG" else "RGB", picture.size, "white")
    fresh.paste(picture, mask=picture if kind == "JPEG" and picture.mode == "RGBA" else None)
    with BytesIO() as written:
        fresh.save(written, kind, **({"quality": QUALITY} if kind == "JPEG" else {}))
        return written.getvalue()
