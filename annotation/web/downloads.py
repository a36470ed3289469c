"""Sends a file in pieces, whole or the part that was asked for, under either kind of server."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

BLOCK = 1 << 16
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
TYPES = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}


def send_file(
    request: HttpRequest,
    path: Path,
    *,
    name: str,
    digest: str,
    content_type: str = "",
    when_sent: Callable[[], object] | None = None,
) -> HttpResponseBase:
    """`name` is what the file is saved as, "" where it is shown and not saved; `digest` identifies its content, so
    that a broken download can go on. `when_sent` is called once the last byte of a whole file was taken.
    """
    size, tag = path.stat().st_size, f'"{digest}"'
    wanted = request.headers.get("Range", "") if request.headers.get("If-Range", tag) == tag else ""
    part = RANGE.fullmatch(wanted)
    first, last = _bounds(part, size) if part else (0, size - 1)
    if part and not 0 <= first <= last:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    ending = when_sent if request.method == "GET" and not part else None
    pieces = (_pieces_async if isinstance(request, ASGIRequest) else _pieces)(path, first, last - first + 1, ending)
    response = StreamingHttpResponse(
        pieces,
        status=206 if part else 200,
        content_type=content_type or TYPES.get(path.suffix, "application/octet-stream"),
    )
    if part:
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    response["Content-Length"] = str(last - first + 1)
    response["Content-Disposition"] = f'attachment; filename="{name}"' if name else "inline"
    response["Accept-Ranges"], response["ETag"], response["Cache-Control"] = "bytes", tag, "private, no-cache"
    return response


def _bounds(part: re.Match[str], size: int) -> tuple[int, int]:
    """First and last byte; a number alone counts bytes from the end. (-1, -1) where it makes no sense."""
    first, last = part.groups()
    if first:
        return int(first), min(int(last), size - 1) if last else size - 1
    return (max(0, size - int(last)), size - 1) if last and int(last) else (-1, -1)


def _pieces(path: Path, first: int, length: int, ending: Callable[[], object] | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while length > 0 and (piece := file.read(min(BLOCK, length))):
            length -= len(piece)
            yield piece
    if ending is not None and length == 0:
        ending()


async def _pieces_async(
    path: Path, first: int, length: int, ending: Callable[[], object] | None
) -> AsyncIterator[bytes]:
    """Django would read a plain iterator to its end before it sends the first byte."""
    pieces = _pieces(path, first, length, None)
    while piece := await asyncio.to_thread(next, pieces, b""):
        length -= len(piece)
        yield piece
    if ending is not None and length == 0:
        await sync_to_async(ending)()
