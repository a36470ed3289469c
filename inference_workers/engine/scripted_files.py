"""Tiny true files, made on the spot and different for every request: what the scripted backend answers with where a
picture, a sound or a film is asked for."""

from __future__ import annotations

import io
import math
import random
import wave
from struct import pack

from .protocol import GenerationRequest


def made_file(request: GenerationRequest) -> bytes:
    """The same for the same request. Titles in them name the model, as those of real servers may."""
    # Not secret: filler.
    source = random.Random(repr((request.model, request.messages, request.sampling.seed)))  # noqa: S311
    makers = {"image": _picture, "audio": _sound, "video": _film}
    return makers[request.output](source, request.model.path)


def _picture(source: random.Random, title: str) -> bytes:
    from PIL import Image, PngImagePlugin

    told = PngImagePlugin.PngInfo()
    told.add_text("Software", title)
    colour = tuple(source.randrange(256) for _ in range(3))
    with io.BytesIO() as out:
        Image.new("RGB", (64, 48), colour).save(out, "PNG", pnginfo=told)
        return out.getvalue()


def _sound(source: random.Random, title: str) -> bytes:
    pitch = source.uniform(200, 800)
    with io.BytesIO() as out:
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(
                b"".join(pack("<h", int(8000 * math.sin(2 * math.pi * pitch * at / 8000))) for at in range(8000))
            )
        return out.getvalue()


def _film(source: random.Random, title: str) -> bytes:
    import av
    import numpy as np

    shade = source.randrange(200)
    with io.BytesIO() as out:
        with av.open(out, "w", format="webm") as file:
            file.metadata["title"] = title
            stream = file.add_stream("libvpx", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(10):
                pixels = np.full((48, 64, 3), shade + number * 5, dtype=np.uint8)
                for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                    file.mux(packet)
            for packet in stream.encode():
                file.mux(packet)
        return out.getvalue()
