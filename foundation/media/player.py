"""Sounds and films: the beginning is decoded and every packet is read, so that the duration is the true one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

# What every browser of the last years plays. Container, as the library calls it: its types and what may be in it.
SOUND_CODECS = frozenset({"mp3", "aac", "opus", "vorbis", "flac", "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le"})
FILM_CODECS = frozenset({"h264", "vp8", "vp9", "av1"})
TYPES = {
    "wav": ("audio/wav", "", ".wav"),
    "mp3": ("audio/mpeg", "", ".mp3"),
    "flac": ("audio/flac", "", ".flac"),
    "ogg": ("audio/ogg", "video/ogg", ".ogg"),
    "mov": ("audio/mp4", "video/mp4", ".mp4"),
    "matroska": ("audio/webm", "video/webm", ".webm"),
}
WEBM_CODECS = frozenset({"vp8", "vp9", "av1", "opus", "vorbis"})
DECODED_FRAMES = 8
SHORTEST, LONGEST = 0.05, 4 * 3600
# Headers that promise so much more than there is belong to files cut short.
MISSING_SHARE, MISSING_SECONDS = 0.05, 0.5


@dataclass(frozen=True)
class Played:
    """`width` is None for a sound."""

    content_type: str
    suffix: str
    seconds: float
    width: int | None
    height: int | None


def container_of(head: bytes) -> str | None:
    """By the first bytes alone."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mov"
    starts = {b"ID3": "mp3", b"fLaC": "flac", b"OggS": "ogg", b"\x1aE\xdf\xa3": "matroska"}
    for start, name in starts.items():
        if head.startswith(start):
            return name
    # A frame of MPEG audio, layer III, without a tag before it.
    return "mp3" if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 else None


def check_container(path: Path, name: str) -> Played:
    """Raises ValueError with the reason."""
    if name == "wav":
        _refuse_cut(path)
    try:
        # Given as a file that is open: nothing that stands in it is ever fetched from elsewhere.
        with path.open("rb") as file, av.open(file, format=name, options={"protocol_whitelist": "none"}) as container:
            return _checked(container, name)
    except (FFmpegError, EOFError, OSError) as error:
        raise ValueError("it cannot be played: it is broken or cut short") from error


def _refuse_cut(path: Path) -> None:
    """The library takes what there is for the whole."""
    with path.open("rb") as file:
        promised = int.from_bytes(file.read(8)[4:], "little")
    # Programs that write to a pipe say no length.
    if promised not in (0, 0xFFFFFFFF) and promised + 8 > path.stat().st_size:
        raise ValueError(f"it is cut short: {path.stat().st_size} of {promised + 8} bytes are there")


def _checked(container: Any, name: str) -> Played:
    sounds = list(container.streams.audio)
    films = [stream for stream in container.streams.video if not _is_cover(stream)]
    if len(films) > 1 or len(sounds) > 1 or not (sounds or films):
        raise ValueError("it holds no sound or film, or more than one")
    for stream in (*sounds, *films):
        _refuse_codec(stream, name, FILM_CODECS if stream in films else SOUND_CODECS)
    _refuse_places(container)
    promised = float(container.duration / av.time_base) if container.duration else 0.0
    main = (films or sounds)[0]
    seconds = _length(container, main)
    if promised - seconds > max(MISSING_SECONDS, MISSING_SHARE * promised):
        raise ValueError(f"it is cut short: {seconds:.1f} of {promised:.1f} seconds are there")
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError(f"it plays for {seconds:.2f} seconds, not between {SHORTEST} and {LONGEST}")
    container.seek(0)
    _decode(container, main)
    sound_type, film_type, suffix = TYPES[name]
    if films:
        return Played(film_type, suffix, seconds, main.codec_context.width, main.codec_context.height)
    return Played(sound_type, suffix, seconds, None, None)


def _is_cover(stream: Any) -> bool:
    """A picture that goes with a sound."""
    return stream.codec_context is not None and stream.codec_context.name in {"mjpeg", "png"}


def _refuse_codec(stream: Any, container: str, taken: frozenset[str]) -> None:
    if stream.codec_context is None:
        raise ValueError("it cannot be played: it is cut short, or coded in a way that is not known")
    codec = stream.codec_context.name
    known = {"libdav1d": "av1", "mp3float": "mp3", "libopus": "opus", "libvpx": "vp8", "libvpx-vp9": "vp9"}
    codec = known.get(codec, codec)
    if codec not in taken or (container == "matroska" and codec not in WEBM_CODECS):
        raise ValueError(f"it is coded as {codec}, which not every browser plays in such a file")
    if codec in FILM_CODECS and not TYPES[container][1]:
        raise ValueError("a film in a file for sounds")


def _refuse_places(container: Any) -> None:
    for tags in (container.metadata, *(stream.metadata for stream in container.streams)):
        if any("location" in key.lower() or key == "©xyz" for key in tags):
            raise ValueError("it tells where it was recorded. Save it without its place")


def _length(container: Any, main: Any) -> float:
    """To the end of the last packet, whatever a header says."""
    first, last = None, 0.0
    for packet in container.demux(main):
        if packet.pts is None:
            continue
        start = float(packet.pts * packet.time_base)
        first = start if first is None else min(first, start)
        last = max(last, start + float((packet.duration or 0) * packet.time_base))
    if first is None:
        raise ValueError("nothing in it can be played")
    return last - first


def _decode(container: Any, main: Any) -> None:
    frames = 0
    for _frame in container.decode(main):
        frames += 1
        if frames >= DECODED_FRAMES:
            return
    if not frames:
        raise ValueError("nothing in it can be played")
