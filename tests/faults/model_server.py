"""An OpenAI-compatible address whose models misbehave, each in the way that its name says.

It speaks on raw sockets, since what it gets wrong is often below HTTP. Whatever it sends that is no answer names its
provider, so that a test can look for that name everywhere.
"""

import json
import socket
import socketserver
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

CANARY = "Canaryvendor"
ANSWER = "Light of every colour is scattered by the air, and blue light is scattered the most."
# How long a behaviour goes on at most, should nobody hang up.
PATIENCE = 60.0

Behaviour = Callable[["Wire"], None]
BEHAVIOURS: dict[str, Behaviour] = {}
# Those that are odd and still whole answers; a battle with any other is void.
ODD_BUT_WHOLE: set[str] = set()


class Wire:
    """One connection after its request was read."""

    def __init__(self, connection: socket.socket, body: dict[str, Any], server: "ModelServer") -> None:
        self.connection = connection
        self.body = body
        self.server = server
        self.until = time.monotonic() + PATIENCE

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.server.sent[self.body["model"]] += len(data)

    def head(self, status: str = "200 OK", **headers: str) -> None:
        named = {"Content-Type": "text/event-stream", "Server": CANARY, "X-Served-By": CANARY} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        lines = [f"{name}: {value}" for name, value in named.items()]
        self.send("\r\n".join([f"HTTP/1.1 {status}", *lines, "Connection: close", "", ""]).encode())

    def chunk(self, text: Any = None, reason: str | None = None, **more: Any) -> None:
        choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": reason}
        said = {"id": "c", "object": "chat.completion.chunk", "model": CANARY, "choices": [choice]} | more
        self.send(f"data: {json.dumps(said)}\n\n".encode())

    def words(self, text: str = ANSWER) -> None:
        for number, word in enumerate(text.split(" ")):
            self.chunk(word if number == 0 else f" {word}")

    def end(self) -> None:
        self.chunk(reason="stop")
        self.send(b"data: [DONE]\n\n")

    def error(self, status: str, **headers: str) -> None:
        self.head(status, Content_Type="application/json", **headers)
        self.send(json.dumps({"error": {"message": f"{CANARY} is at its limit", "type": CANARY}}).encode())


def behaviour(take: Behaviour) -> Behaviour:
    BEHAVIOURS[take.__name__] = take
    return take


def odd_but_whole(take: Behaviour) -> Behaviour:
    ODD_BUT_WHOLE.add(take.__name__)
    return behaviour(take)


@odd_but_whole
def sound(wire: Wire) -> None:
    wire.head()
    wire.words()
    wire.end()


@odd_but_whole
def two_end_marks(wire: Wire) -> None:
    sound(wire)
    wire.chunk(f" I am {CANARY}.")
    wire.end()


@odd_but_whole
def wrong_model(wire: Wire) -> None:
    """Every chunk says that another model wrote it."""
    wire.head()
    for word in ANSWER.split(" "):
        wire.chunk(word + " ", model=f"{CANARY}-9000", system_fingerprint=CANARY, provider=CANARY)
    wire.end()


@odd_but_whole
def holds_the_line(wire: Wire) -> None:
    """The text is whole and the connection stays open."""
    sound(wire)
    while wire.goes_on:
        time.sleep(0.2)
        wire.send(b": still here\n\n")


@odd_but_whole
def one_letter_at_a_time(wire: Wire) -> None:
    """Every byte is a packet of its own, letters of several bytes are cut in the middle."""
    wire.head()
    said = json.dumps({"choices": [{"index": 0, "delta": {"content": ANSWER}, "finish_reason": "stop"}]})
    for byte in f"data: {said}\n\ndata: [DONE]\n\n".encode():
        wire.send(bytes([byte]))


@behaviour
def status_500(wire: Wire) -> None:
    wire.error("500 Internal Server Error")


@behaviour
def status_429(wire: Wire) -> None:
    wire.error("429 Too Many Requests")


@behaviour
def status_503_with_a_wait(wire: Wire) -> None:
    wire.error("503 Service Unavailable", Retry_After="600")


@behaviour
def drip(wire: Wire) -> None:
    """Never silent and never done."""
    wire.head()
    while wire.goes_on:
        wire.chunk("a ")
        time.sleep(0.3)


@behaviour
def headers_drip(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n")
    while wire.goes_on:
        wire.send(b"X-Served-By: " + CANARY.encode() + b"\r\n")
        time.sleep(0.3)


@behaviour
def silence(wire: Wire) -> None:
    while wire.goes_on:
        time.sleep(0.2)


@behaviour
def endless(wire: Wire) -> None:
    """Words as fast as they are taken."""
    wire.head()
    while wire.goes_on:
        wire.chunk("over and over again ")


@behaviour
def endless_error_page(wire: Wire) -> None:
    wire.head("502 Bad Gateway", Content_Type="text/html")
    while wire.goes_on:
        wire.send(f"<p>{CANARY}</p>".encode() * 5000)


@behaviour
def line_of_ten_megabytes(wire: Wire) -> None:
    wire.head()
    wire.send(b'data: {"choices": [{"index": 0, "delta": {"content": "')
    for _ in range(160):
        wire.send(b"x" * 65536)
    wire.send(b'"}}]}\n\n')
    wire.end()


@behaviour
def truncated_json(wire: Wire) -> None:
    wire.head()
    wire.words()
    wire.send(b'data: {"choices": [{"index": 0, "delta": {"content": "and th\n\n')
    wire.end()


@behaviour
def html(wire: Wire) -> None:
    wire.head(Content_Type="text/html")
    wire.send(f"<!doctype html><title>{CANARY}</title><h1>Welcome to {CANARY}</h1>".encode())


@behaviour
def wrong_type(wire: Wire) -> None:
    wire.head()
    wire.words()
    wire.chunk(5)
    wire.end()


@behaviour
def empty(wire: Wire) -> None:
    wire.head()
    wire.end()


@behaviour
def nothing_at_all(wire: Wire) -> None:
    """The connection closes without a byte."""


@cache
def bomb() -> bytes:
    packer = zlib.compressobj(level=1, wbits=31)
    return b"".join([packer.compress(b"x" * 1_000_000) for _ in range(100)]) + packer.flush()


@behaviour
def packed_bomb(wire: Wire) -> None:
    """Some hundred kilobytes that unpack to a hundred megabytes."""
    wire.head(Content_Encoding="gzip")
    wire.send(bomb())


@behaviour
def no_end_mark(wire: Wire) -> None:
    wire.head()
    wire.words()


@behaviour
def redirect(wire: Wire) -> None:
    """To where another model would answer."""
    host, port = wire.server.address
    wire.head("307 Temporary Redirect", Location=f"http://{host}:{port}/elsewhere/v1/chat/completions", X_By=CANARY)


@behaviour
def filtered(wire: Wire) -> None:
    wire.head()
    wire.words()
    wire.chunk(reason="content_filter", content_filter_results={CANARY: True})


@behaviour
def tool_call(wire: Wire) -> None:
    wire.head()
    call = {"index": 0, "id": "t", "type": "function", "function": {"name": CANARY, "arguments": "{}"}}
    wire.chunk(choices=[{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}])
    wire.chunk(reason="tool_calls")
    wire.send(b"data: [DONE]\n\n")


@behaviour
def names_its_provider(wire: Wire) -> None:
    wire.head()
    wire.words(f"The sky is blue, says the model that {CANARY[:6]}")
    wire.chunk(f"{CANARY[6:]} trained, and it is right.")
    wire.end()


@behaviour
def error_in_the_stream(wire: Wire) -> None:
    wire.head()
    wire.words()
    wire.send(f'data: {{"error": {{"message": "{CANARY} ran out of memory", "code": 500}}}}\n\n'.encode())


@behaviour
def dies_in_the_middle(wire: Wire) -> None:
    """Half a text, then a reset of the connection."""
    wire.head()
    wire.words(ANSWER[:40])
    wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        head, body = _read_request(self.request)
        server: ModelServer = self.server.owner  # type: ignore[attr-defined]
        model = body["model"]
        server.asked[model] += 1
        wire = Wire(self.request, body, server)
        take = sound if head.startswith("POST /elsewhere") else BEHAVIOURS[model.partition("/")[2] or model]
        try:
            take(wire)
        except OSError:
            server.hung_up[model] += 1


def _read_request(connection: socket.socket) -> tuple[str, dict[str, Any]]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length"))
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode(), json.loads(body)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these behaviours are for."""


class ModelServer:
    """Runs in a thread. Counts by model: requests, bytes sent, and connections that the client closed first."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.asked: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.hung_up: Counter[str] = Counter()
        self._server = _Server(address, _Handler)
        self._server.owner = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def base_url(self) -> str:
        return "http://{}:{}/v1".format(*self.address)

    def __enter__(self) -> "ModelServer":
        bomb()  # packing takes as long as a silent server may
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
