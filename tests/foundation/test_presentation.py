"""Context processor, filters and the digest of a client's network."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from csp.middleware import CSPMiddleware
from django.http import HttpResponse
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils.safestring import mark_safe

from foundation.clientaddress import client_address, network_digest
from foundation.context import site
from foundation.markdown import set_apart

NOW = datetime(2026, 5, 1, 12, 34, 56, tzinfo=UTC)


def policy_of(template):
    """The policy of a page, and the page."""

    def page(request):
        return HttpResponse(Template(template).render(RequestContext(request, site(request))))

    response = CSPMiddleware(page)(RequestFactory().get("/"))
    return response["Content-Security-Policy"], response.content.decode()


def test_the_nonce_of_the_header_is_the_one_in_the_page():
    policy, page = policy_of('{% load django_htmx %}{% htmx_script %}<script nonce="{{ csp_nonce }}"></script>')

    nonces = {part.split('"')[0] for part in page.split('nonce="')[1:]}
    assert len(nonces) == 1
    assert f"'nonce-{nonces.pop()}'" in policy


def test_a_page_without_script_has_no_nonce():
    policy, _ = policy_of("plain {{ site_name }}")

    assert "nonce-" not in policy


def test_every_page_knows_the_site_and_may_ask_for_plain_chrome(settings):
    request = RequestFactory().get("/")
    template = Template("{{ site_name }} {{ version }} {{ plain_chrome }}[{{ csp_nonce }}]")

    assert template.render(RequestContext(request, site(request))) == f"Cardinal {settings.VERSION} False[]"


def render(expression, **values):
    return Template("{% load text %}{{ " + expression + " }}").render(Context(values))


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        (
            "v|markdown",
            "**a** <b>",
            set_apart(mark_safe("<p><strong>a</strong> &lt;b&gt;</p>\n"), text="**a** <b>"),
        ),
        ("v|markdown", None, ""),
        ("v|local_time", NOW, '<time datetime="2026-05-01T12:34:56Z" data-local>2026-05-01 12:34 UTC</time>'),
        (
            "v|local_time",
            NOW.astimezone(timezone(timedelta(hours=-7))),
            '<time datetime="2026-05-01T12:34:56Z" data-local>2026-05-01 12:34 UTC</time>',
        ),
        (
            "v|local_time",
            NOW.replace(tzinfo=None),
            '<time datetime="2026-05-01T12:34:56Z" data-local>2026-05-01 12:34 UTC</time>',
        ),
        ("v|local_time", None, ""),
        ("v|signed", 12.4, "+12"),
        ("v|signed", -3.6, "−4"),
        ("v|signed", 0, "0"),
        ("v|signed", -0.2, "0"),
        ("v|signed:1", -0.25, "−0.2"),
        ("v|signed", None, ""),
        ("v|percent", 0.256, "26\u202f%"),
        ("v|percent:1", 0.256, "25.6\u202f%"),
        ("v|percent", 1, "100\u202f%"),
        ("v|percent", None, ""),
    ],
)
def test_filters(expression, value, expected):
    assert render(expression, v=value) == expected


def request_from(remote, forwarded=None):
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=remote, **headers)


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "expected"),
    [
        (None, "203.0.113.7", None, "203.0.113.7"),
        (0, "203.0.113.7", "198.51.100.1", "203.0.113.7"),
        (1, "10.0.0.1", "203.0.113.7", "203.0.113.7"),
        (1, "10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (1, "10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        (1, "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        (1, "10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "10.0.0.1", None, "None"),
        (2, "10.0.0.1", "203.0.113.7", "None"),
        (1, "10.0.0.1", "unknown", "None"),
        (1, "", "", "None"),
    ],
)
def test_the_client_is_found_behind_as_many_proxies_as_are_trusted(settings, proxies, remote, forwarded, expected):
    settings.TRUSTED_PROXY_COUNT = proxies

    assert str(client_address(request_from(remote, forwarded))) == expected


def test_a_network_has_one_digest_a_day_and_tells_no_address(settings):
    settings.TRUSTED_PROXY_COUNT = None
    digests = {
        name: network_digest(request_from(address), now=moment)
        for name, address, moment in [
            ("one", "203.0.113.7", NOW),
            ("same /24", "203.0.113.250", NOW),
            ("other /24", "203.0.114.7", NOW),
            ("next day", "203.0.113.7", NOW + timedelta(days=1)),
            ("v6", "2001:db8:1:2::7", NOW),
            ("same /48", "2001:db8:1:ffff::1", NOW),
            ("other /48", "2001:db8:2::7", NOW),
            ("no address", "", NOW),
        ]
    }

    assert digests["one"] == digests["same /24"]
    assert digests["v6"] == digests["same /48"]
    assert len(set(digests.values())) == 6
    assert all(len(digest) == 64 for digest in digests.values())
    assert (
        network_digest(request_from("203.0.113.7"), now=NOW.astimezone(timezone(timedelta(hours=14)))) == digests["one"]
    )
