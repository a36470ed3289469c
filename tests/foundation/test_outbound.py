import socket
import time
from ipaddress import ip_address

import openai
import pytest
from werkzeug import Response

from foundation import outbound
from foundation.encryption import Unreadable
from foundation.outbound import (
    OutboundRefused,
    OutboundTooLarge,
    bind_secret,
    check_address,
    is_public,
    origin_of,
    outbound_client,
    release_secret,
)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://model.example", "http://model.example:80"),
        ("https://MODEL.example/v1/", "https://model.example:443"),
        ("https://model.example:8443/v1?x#y", "https://model.example:8443"),
        ("http://[2606:4700::1111]:8000/v1", "http://[2606:4700::1111]:8000"),
        ("https://bücher.example/", "https://xn--bcher-kva.example:443"),
    ],
)
def test_an_origin_has_one_spelling(url, origin):
    assert origin_of(url) == origin
    assert origin_of(origin) == origin


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://model.example", "must begin with http"),
        ("file:///etc/passwd", "must begin with http"),
        ("gopher://model.example", "must begin with http"),
        ("javascript:alert(1)", "must begin with http"),
        ("model.example:8000", "must begin with http"),
        ("", "must begin with http"),
        ("//model.example", "must begin with http"),
        ("http://", "names no host"),
        ("http:///v1", "names no host"),
        ("https://user:password@model.example", "must not contain a user or password"),
        ("https://key@model.example", "must not contain a user or password"),
        ("http://model.example:port", "is not an address"),
        ("http://model.example\n.evil.example", "is not an address"),
        ("http://[::1", "is not an address"),
        ("http://0177.0.0.1", "is not an address"),
    ],
)
def test_what_is_no_address_of_a_model_server_is_refused(url, message):
    with pytest.raises(OutboundRefused, match=message):
        check_address(url)


PRIVATE = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.1.1",
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16", "198.18.0.1", "192.0.2.1", "203.0.113.1",
    "192.88.99.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2001:0:4136:e378::", "2001:db8::1", "fec0::1", "100::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_of_the_public_internet_is_told(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_a_public_address_is_told(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::1]", "[::ffff:7f00:1]", "0"],
)
def test_every_spelling_of_this_machine_is_refused_with_the_setting(host):
    with pytest.raises(OutboundRefused) as refused:
        check_address(f"http://{host}:8000/v1")

    place = f"{host}:8000"
    assert f"{place} resolves to " in str(refused.value)
    assert f"add {place} to OUTBOUND_ALLOWED_HOSTS" in str(refused.value)


def test_a_name_that_does_not_resolve_is_refused():
    with pytest.raises(OutboundRefused, match=r"nowhere\.invalid:443 does not resolve"):
        check_address("https://nowhere.invalid")


def test_the_list_names_host_and_port(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["LocalHost:8000", " [::1]:9000 "]

    assert check_address("http://localhost:8000/v1") == "http://localhost:8000"
    assert check_address("http://[::1]:9000") == "http://[::1]:9000"
    for other in ("http://localhost:8001", "http://127.0.0.1:8000", "http://localhost"):
        with pytest.raises(OutboundRefused, match="OUTBOUND_ALLOWED_HOSTS"):
            check_address(other)


def test_a_server_on_the_list_is_reached(httpserver, place):
    httpserver.expect_request("/v1/models").respond_with_json({"data": []})

    with outbound_client(base_url=f"{place}/v1", timeout=5) as client:
        response = client.get("models")

    assert (response.status_code, response.json()) == (200, {"data": []})


def test_a_server_on_this_machine_that_is_not_on_the_list_is_not_reached(httpserver, settings):
    settings.OUTBOUND_ALLOWED_HOSTS = []
    with (
        outbound_client(base_url=f"http://127.0.0.1:{httpserver.port}", timeout=5) as client,
        pytest.raises(OutboundRefused, match="not a public address"),
    ):
        client.get("/")

    assert httpserver.log == []


class Resolver:
    """Answers as a rebinding name server: public when asked first, this machine afterwards."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def __call__(self, host, port, *args, **kwargs):
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]


def test_a_name_that_turns_to_this_machine_after_the_check_is_refused_at_connect(httpserver, monkeypatch):
    httpserver.expect_request("/").respond_with_data("the inner server")
    url = f"http://rebinding.example:{httpserver.port}"
    monkeypatch.setattr(outbound.socket, "getaddrinfo", Resolver("93.184.216.34", "127.0.0.1"))

    assert check_address(url) == url
    with (
        outbound_client(base_url=url, timeout=5) as client,
        pytest.raises(OutboundRefused, match=r"resolves to 127\.0\.0\.1"),
    ):
        client.get("/")

    assert httpserver.log == []


def test_control_checking_the_name_alone_lets_the_rebinding_through(httpserver, monkeypatch):
    httpserver.expect_request("/").respond_with_data("the inner server")
    url = f"http://rebinding.example:{httpserver.port}"
    monkeypatch.setattr(outbound.socket, "getaddrinfo", Resolver("93.184.216.34", "127.0.0.1"))
    check_address(url)
    monkeypatch.setattr(outbound, "is_public", lambda address: True)

    with outbound_client(base_url=url, timeout=5) as client:
        assert client.get("/").text == "the inner server"


def test_the_checked_address_is_the_one_connected_to(httpserver, monkeypatch, settings):
    """One look-up per connection: between the check and the connect there is no second one to lie to."""
    httpserver.expect_request("/").respond_with_data("hello")
    settings.OUTBOUND_ALLOWED_HOSTS = [f"inner.example:{httpserver.port}"]
    asked = []

    def resolve(host, port, *args, **kwargs):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)
    with outbound_client(base_url=f"http://inner.example:{httpserver.port}", timeout=5) as client:
        assert client.get("/").text == "hello"

    assert [host for host in asked if host == "inner.example"] == ["inner.example"]
    assert httpserver.log[0][0].headers["Host"] == f"inner.example:{httpserver.port}"


def test_one_private_address_among_public_ones_is_refused(monkeypatch):
    def resolve(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("1.1.1.1", "10.0.0.1")]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolve)
    with pytest.raises(OutboundRefused, match=r"resolves to 10\.0\.0\.1"):
        check_address("https://mixed.example")


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_even_if_the_caller_would_follow(httpserver, place, status, follow):
    target = f"http://127.0.0.1:{httpserver.port}/inner"
    httpserver.expect_request("/").respond_with_response(Response(status=status, headers={"Location": target}))

    with (
        outbound_client(base_url=place, timeout=5) as client,
        pytest.raises(OutboundRefused, match=r"redirects to .*inner"),
    ):
        client.get("/", follow_redirects=follow)

    assert [request.path for request, _ in httpserver.log] == ["/"]


def test_a_client_talks_to_its_origin_only(httpserver, place, settings):
    settings.OUTBOUND_ALLOWED_HOSTS.append(f"127.0.0.1:{httpserver.port}")
    with (
        outbound_client(base_url=place, timeout=5, headers={"Authorization": "Bearer key"}) as client,
        pytest.raises(OutboundRefused, match="talks to http://localhost"),
    ):
        client.get(f"http://127.0.0.1:{httpserver.port}/elsewhere")

    assert httpserver.log == []


def test_proxies_of_the_environment_and_netrc_are_ignored(httpserver, place, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine localhost login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    httpserver.expect_request("/").respond_with_data("direct")

    with outbound_client(base_url=place, timeout=5) as client:
        assert client.get("/").text == "direct"

    headers = httpserver.log[0][0].headers
    assert "Authorization" not in headers
    assert (headers["User-Agent"], headers["Accept-Encoding"]) == ("Cardinal", "identity")


def test_a_key_is_bound_to_scheme_host_and_port():
    sealed = bind_secret("sk-secret", url="https://api.example/v1")

    assert release_secret(sealed, url="https://API.example:443/v2/chat") == "sk-secret"
    assert b"sk-secret" not in sealed
    for other in ("http://api.example/v1", "https://api.example:8443/v1", "https://evil.example/v1"):
        with pytest.raises(Unreadable):
            release_secret(sealed, url=other)


@pytest.fixture
def openai_client(place):
    with openai.OpenAI(
        base_url=f"{place}/v1",
        api_key="sk-secret",
        max_retries=0,
        http_client=outbound_client(base_url=place, timeout=1, max_bytes=5000),
    ) as client:
        yield client


def ask(client):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])


def test_the_openai_client_works_through_it(httpserver, openai_client):
    httpserver.expect_request("/v1/chat/completions").respond_with_json(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m",
         "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}]}
    )  # fmt: skip

    assert ask(openai_client).choices[0].message.content == "hi"


@pytest.mark.parametrize(
    ("response", "error", "cause"),
    [
        (Response(status=307, headers={"Location": "http://127.0.0.1:1/"}), openai.APIConnectionError, OutboundRefused),
        (Response(b"x" * 6000), openai.APIConnectionError, OutboundTooLarge),
    ],
)
def test_the_openai_client_says_what_refused(httpserver, openai_client, response, error, cause):
    httpserver.expect_request("/v1/chat/completions").respond_with_response(response)

    with pytest.raises((error, cause)) as refused:
        ask(openai_client)
    assert isinstance(refused.value, cause) or isinstance(refused.value.__cause__, cause)


def test_the_openai_client_times_out_as_it_says(httpserver, openai_client):
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(
        lambda request: time.sleep(2) or Response("{}")
    )

    with pytest.raises(openai.APITimeoutError):
        ask(openai_client)
