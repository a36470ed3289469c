"""How much and for how long a server may answer: sizes, packing, time for the whole, and what is broken."""

import gzip
import socket
import threading
import time
import zlib
from contextlib import contextmanager

import httpx
import pytest
from werkzeug import Response

from foundation import outbound
from foundation.outbound import (
    OutboundRefused,
    OutboundTooLarge,
    OutboundTooSlow,
    outbound_client,
)


def test_an_answer_longer_than_the_limit_stops_at_the_limit(httpserver, place):
    httpserver.expect_request("/short").respond_with_data(b"x" * 1000)
    httpserver.expect_request("/long").respond_with_data(b"x" * 1001)

    with outbound_client(base_url=place, timeout=5, max_bytes=1000) as client:
        assert len(client.get("/short").content) == 1000
        with pytest.raises(OutboundTooLarge, match="more than 1000 bytes"):
            client.get("/long")


def test_an_endless_answer_stops_at_the_limit(httpserver, place):
    sent = []

    def endless(request):
        def parts():
            while True:
                sent.append(1)
                yield b"data: x\n\n" * 1000

        return Response(parts(), content_type="text/event-stream")

    httpserver.expect_request("/").respond_with_handler(endless)
    with (
        outbound_client(base_url=place, timeout=20, max_bytes=1_000_000) as client,
        client.stream("GET", "/") as response,
        pytest.raises(OutboundTooLarge),
    ):
        for _ in response.iter_lines():
            pass


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_packed_answer_is_unpacked_though_none_was_asked_for(httpserver, place, encoding):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding]
    httpserver.expect_request("/").respond_with_data(pack(b'{"a": 1}'), headers={"Content-Encoding": encoding})

    with outbound_client(base_url=place, timeout=5) as client:
        assert client.get("/").json() == {"a": 1}


def bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1_000_000)
    return b"".join([packer.compress(zeros) for _ in range(size // len(zeros))] + [packer.flush()])


def test_a_gzip_bomb_stops_at_the_limit(httpserver, place, monkeypatch):
    packed = bomb(200_000_000)
    assert len(packed) < 250_000
    httpserver.expect_request("/").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    unpacked = count_unpacked(monkeypatch)

    with (
        outbound_client(base_url=place, timeout=20, max_bytes=2_000_000) as client,
        pytest.raises(OutboundTooLarge, match="unpacked"),
    ):
        client.get("/")

    assert sum(unpacked) < 2_200_000


def test_control_without_the_limit_the_bomb_unpacks(httpserver, place, monkeypatch):
    httpserver.expect_request("/").respond_with_data(bomb(50_000_000), headers={"Content-Encoding": "gzip"})

    with outbound_client(base_url=place, timeout=20, max_bytes=10**12) as client:
        assert len(client.get("/").content) == 50_000_000


def count_unpacked(monkeypatch):
    sizes = []
    inflate = outbound._inflate

    def counting(parts, origin):
        for piece in inflate(parts, origin):
            sizes.append(len(piece))
            yield piece

    monkeypatch.setattr(outbound, "_inflate", counting)
    return sizes


@pytest.mark.parametrize(
    ("body", "encoding", "error", "message"),
    [
        (b"not gzip at all", "gzip", httpx.DecodingError, "broken gzip"),
        (gzip.compress(b"x" * 10_000)[:-20], "gzip", httpx.DecodingError, "cut short"),
        (b"x", "br", OutboundRefused, "packed as 'br'"),
        (gzip.compress(gzip.compress(b"x")), "gzip, gzip", OutboundRefused, "packed as 'gzip, gzip'"),
    ],
    ids=["no gzip", "cut", "brotli", "twice"],
)
def test_a_badly_packed_answer_is_an_error(httpserver, place, body, encoding, error, message):
    httpserver.expect_request("/").respond_with_data(body, headers={"Content-Encoding": encoding})

    with outbound_client(base_url=place, timeout=5) as client, pytest.raises(error, match=message):
        client.get("/")


@contextmanager
def raw_server(serve):
    """A server that writes what `serve` sends on each connection, however slowly."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def accept():
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    serve(connection, stop)
                except OSError:
                    continue

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def drip(prefix, byte):
    def serve(connection, stop):
        connection.sendall(prefix)
        while not stop.wait(0.05):
            connection.sendall(byte)

    return serve


@pytest.mark.parametrize(
    "serve",
    [
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        drip(b"", b""),
    ],
    ids=["body", "headers", "chunks", "silence"],
)
def test_an_answer_that_drips_ends_with_the_time_for_the_whole(serve, settings):
    with raw_server(serve) as port:
        settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]
        started = time.monotonic()
        with (
            outbound_client(base_url=f"http://127.0.0.1:{port}", timeout=0.5) as client,
            pytest.raises(OutboundTooSlow),
        ):
            client.get("/")

    assert 0.4 < time.monotonic() - started < 2


def test_control_a_limit_per_read_alone_never_ends_a_drip(settings):
    with raw_server(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x")) as port:
        received = 0
        started = time.monotonic()
        with httpx.Client(timeout=0.5) as plain, plain.stream("GET", f"http://127.0.0.1:{port}/") as response:
            for part in response.iter_raw():
                received += len(part)
                if time.monotonic() - started > 1.2:
                    break

    assert received > 5


def test_silence_within_the_time_for_the_whole_ends_too(settings):
    with raw_server(lambda connection, stop: stop.wait(5)) as port:
        settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]
        client = outbound_client(base_url=f"http://127.0.0.1:{port}", timeout=60, silence=0.3)
        with client, pytest.raises(httpx.ReadTimeout) as slow:
            client.get("/")

    assert not isinstance(slow.value, OutboundTooSlow)


def test_two_streams_read_in_turns_keep_their_own_time(httpserver, place):
    def parts(request):
        def lines():
            for number in range(4):
                time.sleep(0.1)
                yield f"{number}\n".encode()

        return Response(lines())

    httpserver.expect_request("/").respond_with_handler(parts)
    with (
        outbound_client(base_url=place, timeout=5) as client,
        client.stream("GET", "/") as first,
        client.stream("GET", "/") as second,
    ):
        pairs = list(zip(first.iter_lines(), second.iter_lines(), strict=True))

    assert pairs == [(str(number), str(number)) for number in range(4)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"garbage\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, httpx.RemoteProtocolError),
    ],
    ids=["nothing", "garbage", "cut", "endless headers"],
)
def test_a_broken_answer_is_an_error_of_httpx(settings, answer, error):
    with raw_server(lambda connection, stop: connection.sendall(answer)) as port:
        settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]
        with (
            outbound_client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client,
            pytest.raises((error, httpx.ReadError)),
        ):
            client.get("/")
