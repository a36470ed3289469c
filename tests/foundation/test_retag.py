"""Sounds and films keep what is played and lose what is told beside it, in every container that is taken."""

import av
import numpy as np
import pytest

from foundation.media.player import check_container, container_of
from foundation.media.retag import write_without_tags

CANARY = "canary-model"
RATE = 48_000


def write_sound(path, container, codec):
    with av.open(str(path), "w", format=container) as file:
        file.metadata.update({"title": CANARY, "artist": CANARY, "comment": CANARY})
        stream = file.add_stream(codec, rate=RATE)
        tone = (np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) * 8000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE
        context = stream.codec_context
        fitting = av.AudioResampler(context.format, context.layout, RATE, frame_size=context.frame_size or 1024)
        for part in [*fitting.resample(frame), *fitting.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode())


def write_film(path, container, codec):
    with av.open(str(path), "w", format=container) as file:
        file.metadata["title"] = CANARY
        stream = file.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(10):
            pixels = np.full((48, 64, 3), number * 20, dtype=np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())


@pytest.mark.parametrize(
    ("write", "container", "codec"),
    [
        (write_sound, "mp3", "libmp3lame"),
        (write_sound, "flac", "flac"),
        (write_sound, "ogg", "libopus"),
        (write_sound, "wav", "pcm_s16le"),
        (write_sound, "mp4", "aac"),
        (write_film, "mp4", "libx264"),
        (write_film, "webm", "libvpx"),
    ],
)
def test_tags_go_and_the_length_stays(tmp_path, write, container, codec):
    path = tmp_path / "file"
    write(path, container, codec)
    came = path.read_bytes()
    assert CANARY.encode() in came
    before = check_container(path, container_of(came[:4096]))
    write_without_tags(path)
    kept = path.read_bytes()
    after = check_container(path, container_of(kept[:4096]))
    assert CANARY.encode() not in kept
    assert after.content_type == before.content_type
    assert after.seconds == pytest.approx(before.seconds, abs=0.15)


def test_what_is_cut_or_no_sound_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"<html>")
    with pytest.raises(ValueError, match="no sound or film"):
        write_without_tags(path)
    path.write_bytes(b"\x00\x00\x00\x18ftypisom" + b"\x00" * 40)
    with pytest.raises(ValueError, match="broken or cut short"):
        write_without_tags(path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
