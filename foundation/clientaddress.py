"""Which network a request comes from, as a digest that cannot be joined from one day to the next."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from foundation.encryption import blind_digest

Address = IPv4Address | IPv6Address


def client_address(request: HttpRequest) -> Address | None:
    """The address of the client, by as many proxies as `TRUSTED_PROXY_COUNT` says stand in front.

    Each proxy appends the address it was called from, so the last entries are ours and what stands before them is
    what the client claims. None if the chain is shorter than it must be, or holds no address.
    """
    proxies = getattr(settings, "TRUSTED_PROXY_COUNT", None) or 0
    remote = request.META.get("REMOTE_ADDR", "")
    chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    chain.append(remote)
    if len(chain) <= proxies:
        return None
    return _parse(chain[-1 - proxies])


def network_digest(request: HttpRequest, *, now: datetime | None = None) -> str:
    """64 hex digits for the client's /24 or /48 network today; the same network has another digest tomorrow.

    For limits per network: no address is stored, and the digests of two days cannot be joined without the key.
    """
    address = client_address(request)
    network = "unknown" if address is None else str(_network(address))
    day = (now or datetime.now(UTC)).astimezone(UTC).date()
    return blind_digest(network, purpose=f"network {day.isoformat()}")


def _network(address: Address) -> object:
    return ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False)


def _parse(text: str) -> Address | None:
    # Some proxies add a port: 203.0.113.7:4711 or [2001:db8::7]:4711.
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
