"""Completions on their way to a browser: one Redis stream each, which a reader can join late and resume.

An entry's id is `<attempt>-<sequence>`. Redis refuses ids that do not grow, so a worker that lost its completion to a
later attempt cannot write into it any more, an entry sent twice after a lost reply is stored once, and a stream that
was flushed goes on behind the ids its readers have seen. A stream never holds a model's name, token counts or the
reason a text ended. It is a convenience: the final text is the one in PostgreSQL.
"""

from inference_workers.streams.events import START, Kind, StreamEvent, follows, stream_key, valid_cursor
from inference_workers.streams.reader import async_client, read_many, read_so_far
from inference_workers.streams.shared import SharedReader, shared_reader
from inference_workers.streams.writer import StreamWriter, announce_end, sync_client

__all__ = [
    "START",
    "Kind",
    "SharedReader",
    "StreamEvent",
    "StreamWriter",
    "announce_end",
    "async_client",
    "follows",
    "read_many",
    "read_so_far",
    "shared_reader",
    "stream_key",
    "sync_client",
    "valid_cursor",
]
