"""Small true files of media for tests, and broken ones."""

import io
import math
import wave
import zipfile
from collections.abc import Iterable, Mapping
from struct import pack
from tempfile import SpooledTemporaryFile

import av
import numpy as np
from django.utils import timezone
from PIL import Image

from accounts.use_cases.create_person import person_of_user
from annotation.models import Campaign, MediaFile
from annotation.use_cases.receive_media import Received, receive_media
from tests.factories import make_user

PLACE = 0x8825


def picture(kind: str = "PNG", *, size: tuple[int, int] = (64, 48), shade: int = 90, **options: object) -> bytes:
    with io.BytesIO() as out:
        image = Image.radial_gradient("L").resize(size).point(lambda value: (value + shade) % 256).convert("RGB")
        image.save(out, kind, **options)
        return out.getvalue()


def told() -> Image.Exif:
    """EXIF of a camera that knows where it is and lay on its side."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Some Camera", 6
    exif.get_ifd(PLACE)[1] = "N"
    return exif


def sound(seconds: float = 1.0, *, pitch: float = 440) -> bytes:
    with io.BytesIO() as out:
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            tone = (int(8000 * math.sin(2 * math.pi * pitch * place / 8000)) for place in range(int(seconds * 8000)))
            file.writeframes(b"".join(pack("<h", value) for value in tone))
        return out.getvalue()


def film(container: str = "webm", codec: str = "libvpx", *, seconds: float = 1.0, place: str = "") -> bytes:
    with SpooledTemporaryFile() as out:
        with av.open(out, "w", format=container) as file:
            if place:
                file.metadata["location"] = place
            stream = file.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(int(seconds * 10)):
                pixels = np.full((48, 64, 3), number * 20 % 256, dtype=np.uint8)
                for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                    file.mux(packet)
            for packet in stream.encode():
                file.mux(packet)
        out.seek(0)
        return out.read()


def packed(files: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> bytes:
    with io.BytesIO() as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items() if isinstance(files, Mapping) else files:
                archive.writestr(name, content)
        return out.getvalue()


def received(campaign: Campaign, files: Mapping[str, bytes]) -> Received:
    actor = person_of_user(user=make_user(), now=timezone.now())
    given = [(name, [content]) for name, content in files.items()]
    return receive_media(campaign_id=campaign.pk, files=given, actor=actor, now=timezone.now())


def one(campaign: Campaign, name: str, content: bytes) -> MediaFile:
    return received(campaign, {name: content}).files[0]
