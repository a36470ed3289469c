"""Pictures and sounds that are made here, for previews of campaigns that have no item yet."""

import io
import wave
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 720, 480
RATE, SECONDS = 8000, 3.0


@dataclass(frozen=True)
class SampleFile:
    content: bytes
    content_type: str


@cache
def sample_file(name: str) -> SampleFile | None:
    """`image-a`, `image-b`, `audio-a` and `audio-b`; None for anything else."""
    made = {"image-a": _dusk, "image-b": _night, "audio-a": _falling, "audio-b": _rising}.get(name)
    return made() if made else None


def _lighthouse(sky: tuple[int, int, int], low: tuple[int, int, int], sea: tuple[int, int, int]) -> SampleFile:
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    horizon = HEIGHT * 2 // 3
    for line in range(horizon):
        share = line / horizon
        colour = tuple(round(high * (1 - share) + deep * share) for high, deep in zip(sky, low, strict=True))
        draw.line((0, line, WIDTH, line), fill=colour)
    draw.rectangle((0, horizon, WIDTH, HEIGHT), fill=sea)
    draw.polygon([(430, HEIGHT), (470, 300), (720, 270), (720, HEIGHT)], fill=(52, 48, 52))
    draw.polygon([(560, 110), (600, 110), (618, 300), (542, 300)], fill=(240, 236, 228))
    for top in (150, 230):
        draw.polygon([(556, top), (604, top), (608, top + 36), (552, top + 36)], fill=(176, 16, 48))
    draw.polygon([(60, 40), (60, 190), (572, 96), (572, 84)], fill=(255, 232, 170))
    draw.rectangle((562, 70, 598, 110), fill=(250, 220, 120))
    draw.polygon([(554, 70), (606, 70), (580, 44)], fill=(60, 40, 50))
    with io.BytesIO() as out:
        image.save(out, "PNG", optimize=True)
        return SampleFile(out.getvalue(), "image/png")


def _dusk() -> SampleFile:
    return _lighthouse((70, 60, 120), (240, 150, 110), (60, 70, 110))


def _night() -> SampleFile:
    return _lighthouse((12, 16, 40), (40, 60, 100), (14, 24, 46))


def _tones(*pitches: float) -> SampleFile:
    """A bell for each pitch, one after the other."""
    moments = np.arange(int(RATE * SECONDS / len(pitches))) / RATE
    bells = [np.exp(-3 * moments) * (np.sin(2 * np.pi * pitch * moments)) for pitch in pitches]
    samples = (np.concatenate(bells) * 12_000).astype("<i2")
    with io.BytesIO() as out:
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        return SampleFile(out.getvalue(), "audio/wav")


def _falling() -> SampleFile:
    return _tones(784, 659, 523)


def _rising() -> SampleFile:
    return _tones(523, 659, 784)
