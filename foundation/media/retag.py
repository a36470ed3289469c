"""Sounds and films without the tags that a model's server writes into them: a title or an encoder may name the model.

The streams themselves are copied packet by packet; what is coded into them stays.
"""

from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from foundation.media.player import container_of

# What each reader's container is called by its writer.
WRITERS = {"mov": "mp4", "matroska": "webm"}
# No name of a writer, no dates.
PLAIN = {"fflags": "+bitexact"}
HEAD = 4096


def write_without_tags(path: Path) -> None:
    """In place. Raises ValueError with the reason. Whoever calls it looks at the outcome with `check_media`."""
    with path.open("rb") as file:
        container = container_of(file.read(HEAD))
    if container is None:
        raise ValueError("its content is no sound or film that browsers show")
    plain = path.with_name(f"{path.name}-plain")
    try:
        with (
            path.open("rb") as file,
            av.open(file, "r", format=container, options={"protocol_whitelist": "none"}) as given,
            av.open(str(plain), "w", format=WRITERS.get(container, container), options=PLAIN) as made,
        ):
            kept = {stream.index: made.add_stream_from_template(stream) for stream in _shown(given)}
            for stream in kept.values():
                stream.metadata.clear()
            for packet in given.demux([given.streams[index] for index in kept]):
                if packet.dts is not None:
                    packet.stream = kept[packet.stream.index]
                    made.mux(packet)
    except (FFmpegError, OSError, EOFError, RuntimeError) as error:
        plain.unlink(missing_ok=True)
        raise ValueError("it cannot be read whole: it is broken or cut short") from error
    plain.replace(path)


def _shown(given: Any) -> list[Any]:
    """Without covers, subtitles and attachments."""
    covers = {"mjpeg", "png"}
    return [
        stream
        for stream in given.streams
        if stream.type in {"audio", "video"} and getattr(stream.codec_context, "name", "") not in covers
    ]
