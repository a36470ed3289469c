"""Files as all models' are once they are written: nothing of how a model's server makes its files is left in them.

A picture is decoded and written as PNG with its pixels in sRGB, a sound as FLAC of 48 kHz, two channels and 16 bits; a
film keeps its coded pictures, in a container without tags and without what encoders write between the pictures.
"""

import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError
from PIL import Image, ImageCms, ImageOps

from foundation.media.kinds import MediaKind
from foundation.media.player import container_of
from foundation.media.retag import HEAD, PLAIN, write_without_tags

RATE, LAYOUT, FORMAT = 48_000, "stereo", "s16"
# Enough for speed; more saves a tenth of the bytes for three times the seconds.
COMPRESSION = 4
# Of H.264, the units in which x264 and others tell their names and settings.
WITHOUT_MESSAGES = "filter_units=remove_types=6"


def write_uniform(path: Path, kind: MediaKind) -> None:
    """In place, of a file that `check_media` has let pass as that kind. Raises ValueError with the reason."""
    if kind == MediaKind.IMAGE:
        _write_picture(path)
    elif kind == MediaKind.AUDIO:
        _write_sound(path)
    else:
        write_without_tags(path, filters={"h264": WITHOUT_MESSAGES})


def _write_picture(path: Path) -> None:
    with Image.open(path) as picture:
        if getattr(picture, "n_frames", 1) > 1:
            raise ValueError("it is an animation, where one picture was asked for")
        drawn = ImageOps.exif_transpose(_in_srgb(picture))
    mode = "RGBA" if drawn.has_transparency_data else "RGB"
    plain = Image.new(mode, drawn.size)
    plain.paste(drawn.convert(mode))
    plain.save(path, "PNG", compress_level=COMPRESSION)


def _in_srgb(picture: Image.Image) -> Image.Image:
    """A profile of colours names who made it; what it says of the pixels is put into them."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in {"RGB", "RGBA", "L", "CMYK"}:
        return picture
    mode = picture.mode if picture.mode in {"RGB", "RGBA"} else "RGB"
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return picture
    return turned or picture


def _write_sound(path: Path) -> None:
    with path.open("rb") as file:
        container = container_of(file.read(HEAD))
    plain = path.with_name(f"{path.name}-plain")
    try:
        with (
            path.open("rb") as file,
            av.open(file, "r", format=container, options={"protocol_whitelist": "none"}) as given,
            av.open(str(plain), "w", format="flac", options=PLAIN) as made,
        ):
            stream = made.add_stream("flac", rate=RATE, layout=LAYOUT, format=FORMAT)
            for frame in _resampled(given):
                made.mux(stream.encode(frame))
            made.mux(stream.encode(None))
    except (FFmpegError, OSError, EOFError, RuntimeError) as error:
        plain.unlink(missing_ok=True)
        raise ValueError("it cannot be read whole: it is broken or cut short") from error
    plain.replace(path)


def _resampled(given: Any) -> Iterator[Any]:
    resampler = av.AudioResampler(format=FORMAT, layout=LAYOUT, rate=RATE)
    place = 0
    for frame in chain(_frames(given), [None]):
        for each in resampler.resample(frame):
            each.pts, each.time_base = place, Fraction(1, RATE)
            place += each.samples
            yield each


def _frames(given: Any) -> Iterator[Any]:
    for frame in given.decode(audio=0):
        frame.pts = None  # gaps and jumps in what a server says of time are not heard
        yield frame
