"""Battles whose answers are files, made on the spot by the scripted engine through the worker's own pump."""

import io
from datetime import timedelta

from PIL import Image, ImageCms, PngImagePlugin

from accounts.models import Person
from arena.models import Arena, Battle
from inference_workers.engine.scripted import Script, ScriptedBackend, ScriptedSettings
from inference_workers.models import LanguageModel
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks.backends import Backends
from inference_workers.tasks.pump import Pump
from tests.annotation.media.files import picture, sound
from tests.arena.factories import begin, let_open, make_arena, make_models

VENDOR = b"canaryvendor"


def profile() -> bytes:
    """Colours as anybody has them, with another's name in the place of who described them."""
    content = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return content.replace("No copyright".encode("utf-16-be"), VENDOR.decode().encode("utf-16-be"), 1)


def telling_picture(kind: str) -> bytes:
    """With its maker's name wherever such a file can hold one."""
    exif = Image.Exif()
    exif[0x0131] = VENDOR.decode()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + VENDOR + b"</x:xmpmeta>"
    if kind == "PNG":
        told = PngImagePlugin.PngInfo()
        told.add_text("Software", VENDOR.decode())
        told.add_itxt("XML:com.adobe.xmp", xmp.decode())
        # Where manifests of C2PA lie.
        told.add(b"caBX", b"\x00\x00\x00\x20jumb" + VENDOR)
        return picture(kind, pnginfo=told, exif=exif, icc_profile=profile())
    return picture(kind, exif=exif, xmp=xmp, icc_profile=profile())


def telling_sound(container: str, codec: str) -> bytes:
    import av

    with io.BytesIO() as out:
        with (
            av.open(io.BytesIO(sound(1.0)), "r", format="wav") as given,
            av.open(out, "w", format=container) as made,
        ):
            made.metadata.update({"title": VENDOR.decode(), "encoder": VENDOR.decode()})
            stream = made.add_stream(codec, rate=48_000)
            context = stream.codec_context
            resampler = av.AudioResampler(context.format, "stereo", 48_000, frame_size=context.frame_size or 1024)
            for frame in given.decode(audio=0):
                for each in resampler.resample(frame):
                    made.mux(stream.encode(each))
            for each in resampler.resample(None):
                made.mux(stream.encode(each))
            made.mux(stream.encode(None))
        return out.getvalue()


def telling_film() -> bytes:
    """As x264 writes it, whose name stands between the pictures."""
    import av
    import numpy as np

    with io.BytesIO() as out:
        with av.open(out, "w", format="mp4") as file:
            file.metadata.update({"title": VENDOR.decode(), "encoder": VENDOR.decode()})
            stream = file.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(10):
                pixels = np.full((48, 64, 3), number * 20, dtype=np.uint8)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            file.mux(stream.encode(None))
        return out.getvalue()


class Endpoints:
    """One scripted backend for all endpoints; `files` stand in for what it would make, one for each request."""

    def __init__(self, *files: bytes) -> None:
        given = iter(files * 20)
        self.backend = ScriptedBackend(
            ScriptedSettings(64), rule=lambda request: Script((), file=next(given) if files else None)
        )

    def of(self, endpoint: object) -> ScriptedBackend:
        return self.backend

    def drop(self, backend: object) -> None:
        raise AssertionError("the backend broke")


def work(*files: bytes) -> None:
    """What a worker does until nothing waits; and it is the hour of what it made."""
    pump(Endpoints(*files))
    let_open()


def work_for_real() -> None:
    """The same with the endpoints as their rows have them."""
    pump(Backends())
    let_open()


def pump(backends: Endpoints | Backends) -> None:
    writer = StreamWriter(sync_client())
    Pump(backends=backends, writer=writer, lease=timedelta(seconds=60), rest_seconds=1.0).run()


def arena_of_files(output: str, **fields: object) -> Arena:
    """With the models that answer with it; where there are none with two whose every field holds a canary."""
    found = Arena.objects.filter(campaign__slug=f"arena-of-{output}").first()
    if found is not None:
        return found
    if not LanguageModel.objects.filter(current__output=output).exists():
        make_models(output=output)
    return make_arena(f"arena-of-{output}", output=output, **fields)


def made(output: str, person: Person, *files: bytes, **fields: object) -> Battle:
    """A battle of files whose models have answered."""
    battle = begin(person, arena=arena_of_files(output), prompt="A bell that rings.", **fields)
    work(*files)
    battle.refresh_from_db()
    return battle
