"""Static files are answered before the site, under both kinds of server, and no page pays for them."""

import asyncio

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from django.utils.module_loading import import_string
from servestatic import ServeStatic, ServeStaticASGI

from config.static_files import options

NAMED, HASHED = "/static/site.css", "/static/site.0123456789ab.css"


@pytest.fixture
def collected(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    for address in (NAMED, HASHED):
        (tmp_path / address.rpartition("/")[2]).write_text("p { color: black }")
    return tmp_path


def never(*asked):
    raise AssertionError("the site was asked for a static file")


def by_wsgi(address, application=never):
    heard = {}

    def start(status, headers):
        heard.update(status=status, headers=dict(headers))

    answer = ServeStatic(application, **options())(RequestFactory().get(address).environ, start)
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return heard["status"], heard["headers"], body


def by_asgi(address):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": address, "query_string": b"", "headers": []}
    asyncio.run(ServeStaticASGI(never, **options())(scope, receive, send))
    headers = {name.decode().title(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent)


def test_a_file_is_answered_without_the_site_and_kept_for_as_long_as_its_name_says(collected):
    for address, kept in ((HASHED, "max-age=315360000, public, immutable"), (NAMED, "max-age=60, public")):
        for status, headers, body in (by_wsgi(address), by_asgi(address)):
            assert str(status).startswith("200")
            assert body == b"p { color: black }"
            told = {name: headers[name] for name in ("Cache-Control", "X-Content-Type-Options", "Referrer-Policy")}
            assert told == {
                "Cache-Control": kept,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin",
            }


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/about", "/static/no-such.css", "/static/../settings.py"])
def test_what_is_no_such_file_is_the_sites_to_answer(collected, address):
    status, headers, _body = by_wsgi(address, get_wsgi_application())
    assert status == ("200 OK" if address == "/about" else "404 Not Found")
    assert headers["Content-Type"].startswith("text/html")


def test_every_middleware_can_be_called_without_being_awaited():
    """One that cannot costs each page two changes of thread under WSGI, more than a small page itself."""
    layers = {path: import_string(path) for path in settings.MIDDLEWARE}
    assert [path for path, layer in layers.items() if not getattr(layer, "sync_capable", True)] == []
