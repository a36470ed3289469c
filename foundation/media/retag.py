"""Sounds and films without the tags that a model's server writes into them: a title or an encoder may name the model.

The streams themselves are copied packet by packet; what is coded into them stays.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError

from foundation.media.player import container_of

# What each reader's container is called by its writer.
WRITERS = {"mov": "mp4", "matroska": "webm"}
# No name of a writer, no dates.
PLAIN = {"fflags": "+bitexact"}
HEAD = 4096
NO_FILTERS: Mapping[str, str] = {}


def write_without_tags(path: Path, *, filters: Mapping[str, str] = NO_FILTERS) -> None:
    """In place. `filters` are the library's filters by codec, through which packets go on their way. Raises ValueError
    with the reason. Whoever calls it looks at the outcome with `check_media`.
    """
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
            for index, packet in _packets(given, list(kept), filters):
                if packet.dts is not None:
                    packet.stream = kept[index]
                    made.mux(packet)
    except (FFmpegError, OSError, EOFError, RuntimeError) as error:
        plain.unlink(missing_ok=True)
        raise ValueError("it cannot be read whole: it is broken or cut short") from error
    plain.replace(path)


def _packets(given: Any, indexes: list[int], filters: Mapping[str, str]) -> Iterator[tuple[int, Any]]:
    named = {index: given.streams[index].codec_context.name for index in indexes}
    passing = {
        index: BitStreamFilterContext(filters[name], given.streams[index])
        for index, name in named.items()
        if name in filters
    }
    for packet in given.demux([given.streams[index] for index in indexes]):
        index = packet.stream.index
        for each in passing[index].filter(packet) if index in passing else [packet]:
            yield index, each


def _shown(given: Any) -> list[Any]:
    """Without covers, subtitles and attachments."""
    covers = {"mjpeg", "png"}
    return [
        stream
        for stream in given.streams
        if stream.type in {"audio", "video"} and getattr(stream.codec_context, "name", "") not in covers
    ]
