"""Reads many streams at once and tells how late their events come: a process that does nothing else.

Takes `{"port", "seconds", "pace", "readers": [[path, cookie], …]}` from its input; writes `{"late": […], "silent": n}`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

Seen = list[tuple[float, int]]
# A stream that ends with as much silence has stopped: its text ran out, or it never began.
SILENT_SECONDS = 2.0


async def read(port: int, path: str, cookie: str, seconds: float) -> Seen:
    """When each event with a number came, and up to which character it goes."""
    source, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"Cookie: {cookie}", "", ""]
    writer.write("\r\n".join(lines).encode())
    seen: Seen = []
    with suppress(asyncio.TimeoutError):
        async with asyncio.timeout(seconds):
            async for line in source:
                if line.startswith(b"id: "):
                    seen.append((time.monotonic(), int(line.split(b".")[1])))
    writer.close()
    return seen


def lateness(seen: Sequence[tuple[float, int]], pace: float) -> list[float]:
    """Seconds after its place in the pace of the stream's least delayed event."""
    delays = [at - position / pace for at, position in seen]
    return [delay - min(delays) for delay in delays]


async def read_all(port: int, readers: Sequence[tuple[str, str]], seconds: float) -> list[Seen]:
    return await asyncio.gather(*(read(port, path, cookie, seconds) for path, cookie in readers))


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    streams = asyncio.run(read_all(asked["port"], asked["readers"], asked["seconds"]))
    late = [each for seen in streams for each in lateness(seen, asked["pace"])]
    ended = time.monotonic()
    silent = sum(not seen or ended - seen[-1][0] > SILENT_SECONDS for seen in streams)
    json.dump({"late": late, "silent": silent}, sys.stdout)
