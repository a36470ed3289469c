"""The one way out: HTTP to model servers whose addresses people typed in.

The address is checked when it is connected to, so that a name which resolves differently the second time gains
nothing; redirects are refused; an answer has a limit in bytes, unpacked too, and in time, however slowly it drips.
"""

import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore
import httpx
from django.conf import settings
from httpcore._backends.sync import SyncBackend

from foundation.encryption import seal_secret, unseal_secret

DEFAULT_PORTS = {"http": 80, "https": 443}
DEFAULT_MAX_BYTES = 10_000_000
PIECE = 65_536

# Public by the registry, yet answered by the machine's own provider.
PROVIDER_ADDRESSES = frozenset({ip_address("168.63.129.16"), ip_address("192.0.0.192")})
# Withdrawn by RFC 7526: whoever announces it today may answer.
OLD_6TO4_RELAYS = ip_network("192.88.99.0/24")
GLOBAL_IPV6 = ip_network("2000::/3")
NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class OutboundRefused(httpx.TransportError):
    """Not sent, or not read further, because of our rules. The message names the address and the setting."""


class OutboundTooLarge(OutboundRefused):
    """The answer, or what it unpacks to, is longer than this client reads."""


class OutboundTooSlow(httpx.ReadTimeout):
    """The answer was not complete within the client's time."""


def origin_of(url: str) -> str:
    """`scheme://host:port` in one spelling, or `OutboundRefused` for what no client of ours may call."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise OutboundRefused(f"{url!r} is not an address: {error}") from error
    if parsed.scheme not in DEFAULT_PORTS:
        raise OutboundRefused(f"{url!r} must begin with http:// or https://")
    if parsed.userinfo:
        raise OutboundRefused(
            f"the address of {parsed.host!r} must not contain a user or password; use the key's field"
        )
    host = parsed.raw_host.decode("ascii").lower()
    if not host:
        raise OutboundRefused(f"{url!r} names no host")
    port = parsed.port or DEFAULT_PORTS[parsed.scheme]
    return f"{parsed.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def check_address(url: str) -> str:
    """Return the origin of `url` if a client may connect to it now, else raise `OutboundRefused`.

    A courtesy for the form where the address is typed: the client checks again at every connection.
    """
    origin = origin_of(url)
    parsed = httpx.URL(origin)
    allowed_addresses(parsed.raw_host.decode("ascii"), parsed.port or DEFAULT_PORTS[parsed.scheme])
    return origin


def allowed_addresses(host: str, port: int) -> list[str]:
    """The addresses `host` resolves to, all of them public or the place on the operator's list."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutboundRefused(f"{place} does not resolve: {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if place.lower() in {entry.strip().lower() for entry in settings.OUTBOUND_ALLOWED_HOSTS}:
        return addresses
    for address in addresses:
        if not is_public(ip_address(address)):
            raise OutboundRefused(
                f"{place} resolves to {address}, which is not a public address."
                f" If it is a model server of yours, add {place} to OUTBOUND_ALLOWED_HOSTS."
            )
    return addresses


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, also where IPv4 hides inside IPv6."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in GLOBAL_IPV6 or address.sixtofour is not None or address.teredo is not None:
            return False
    elsewhere = address in PROVIDER_ADDRESSES or address in OLD_6TO4_RELAYS
    return address.is_global and not address.is_multicast and not elsewhere


def bind_secret(secret: str, *, url: str) -> bytes:
    """Seal an endpoint's key so that it can be read for this scheme, host and port alone."""
    return seal_secret(secret, context=f"origin {origin_of(url)}")


def release_secret(sealed: bytes, *, url: str) -> str:
    """The key for a request to `url`; `encryption.Unreadable` if it was sealed for another origin."""
    return unseal_secret(sealed, context=f"origin {origin_of(url)}")


def outbound_client(
    *,
    base_url: str,
    timeout: float,
    silence: float = 30.0,
    connect_timeout: float = 5.0,
    max_bytes: int = DEFAULT_MAX_BYTES,
    headers: Mapping[str, str] | None = None,
) -> httpx.Client:
    """A client for one origin. `timeout` bounds a whole answer in seconds, `silence` the wait for its next byte.

    It may be given to `openai.OpenAI(http_client=…, max_retries=0)`. Environment proxies and `.netrc` are ignored.
    """
    return httpx.Client(
        base_url=base_url,
        headers={"Accept-Encoding": "identity", "User-Agent": "Cardinal", **(headers or {})},
        timeout=httpx.Timeout(min(silence, timeout), connect=min(connect_timeout, timeout)),
        transport=CheckedTransport(origin=origin_of(base_url), total=timeout, max_bytes=max_bytes),
        trust_env=False,
        follow_redirects=False,
    )


class Deadline(threading.local):
    """When the request that this thread is reading must be over. Set before each read: streams may interleave."""

    at = float("inf")

    def cap(self, timeout: float | None) -> float:
        remaining = self.at - time.monotonic()
        if remaining <= 0:
            raise httpcore.ReadTimeout("the time for the whole answer is over")
        return remaining if timeout is None else min(timeout, remaining)


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose single reads cannot outlast the request: headers that drip are bounded too."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.cap(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE):
            self._stream.write(buffer[start : start + PIECE], self._deadline.cap(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.cap(timeout))
        return DeadlineStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class CheckedBackend(SyncBackend):
    """Connects to the address that was checked, not to the name, which could resolve to another meanwhile."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in allowed_addresses(host, port):
            try:
                stream = super().connect_tcp(address, port, self._deadline.cap(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream, self._deadline)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def connect_unix_socket(self, path: str, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise OutboundRefused(f"a socket file ({path}) is no address")


class CheckedTransport(httpx.HTTPTransport):
    """Sends to one origin only, and hands back answers whose length and time are bounded."""

    def __init__(self, *, origin: str, total: float, max_bytes: int) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        self.origin = origin
        self.total = total
        self.max_bytes = max_bytes
        self._deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=CheckedBackend(self._deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if origin_of(str(request.url)) != self.origin:
            raise OutboundRefused(f"this client talks to {self.origin} only, not to {request.url}")
        over_at = time.monotonic() + self.total
        self._deadline.at = over_at
        try:
            response = super().handle_request(request)
        except httpx.TimeoutException as error:
            raise self._slow_or(error, over_at) from error
        try:
            self._refuse_redirect(response)
            encoding = _encoding(response, self.origin)
        except OutboundRefused:
            response.close()
            raise
        headers = [
            (name, value)
            for name, value in response.headers.raw
            if not encoding or name.lower() not in (b"content-encoding", b"content-length")
        ]
        stream = BoundedStream(self, response.stream, encoding, over_at)
        return httpx.Response(response.status_code, headers=headers, stream=stream, extensions=response.extensions)

    def _refuse_redirect(self, response: httpx.Response) -> None:
        if response.is_redirect:
            target = response.headers.get("location", "")[:200]
            raise OutboundRefused(
                f"{self.origin} redirects to {target!r}, and redirects are not followed."
                " Give the language model the address it really has."
            )

    def _slow_or(self, error: httpx.TimeoutException, over_at: float) -> httpx.TimeoutException:
        if time.monotonic() < over_at:
            return error
        return OutboundTooSlow(f"{self.origin} did not finish its answer within {self.total:g} s")

    def read_bounded(self, stream: Any, encoding: str, over_at: float) -> Iterator[bytes]:
        """The body, unpacked, up to the limits."""
        parts = self._read_raw(stream, over_at)
        if not encoding:
            yield from parts
            return
        length = 0
        for piece in _inflate(parts, self.origin):
            length += len(piece)
            if length > self.max_bytes:
                raise OutboundTooLarge(f"{self.origin} answers more than {self.max_bytes} bytes, unpacked")
            yield piece

    def _read_raw(self, stream: Any, over_at: float) -> Iterator[bytes]:
        length = 0
        parts = iter(stream)
        while True:
            self._deadline.at = over_at
            try:
                part = next(parts, None)
            except httpx.TimeoutException as error:
                raise self._slow_or(error, over_at) from error
            if part is None:
                return
            length += len(part)
            if length > self.max_bytes:
                raise OutboundTooLarge(f"{self.origin} answers more than {self.max_bytes} bytes")
            yield part


class BoundedStream(httpx.SyncByteStream):
    def __init__(self, transport: CheckedTransport, stream: Any, encoding: str, over_at: float) -> None:
        self._transport = transport
        self._stream = stream
        self._encoding = encoding
        self._over_at = over_at

    def __iter__(self) -> Iterator[bytes]:
        return self._transport.read_bounded(self._stream, self._encoding, self._over_at)

    def close(self) -> None:
        self._stream.close()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes 30 ms, and a client is made for every completion.
    return httpx.create_ssl_context(trust_env=False)


def _encoding(response: httpx.Response, origin: str) -> str:
    encoding = str(response.headers.get("content-encoding", "")).strip().lower()
    if encoding in ("", "identity"):
        return ""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise OutboundRefused(f"{origin} answers packed as {encoding[:60]!r}, which was not asked for")
    return encoding


def _inflate(parts: Iterable[bytes], origin: str) -> Iterator[bytes]:
    """Unpack piece by piece: a few kilobytes that mean gigabytes cost one piece before the limit is seen."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        for part in parts:
            while part:
                piece = unpacker.decompress(part, PIECE)
                part = unpacker.unconsumed_tail
                if piece:
                    yield piece
    except zlib.error as error:
        raise httpx.DecodingError(f"{origin} answers broken gzip: {error}") from error
    if not unpacker.eof:
        raise httpx.DecodingError(f"{origin} answers gzip that is cut short")
