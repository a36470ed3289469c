"""The way from an ASGI scope to the person behind it."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest, parse_cookie

from accounts.models import Person
from arena.web.visitors import known_person


def person_of_scope(scope: dict[str, Any]) -> Person | None:
    """The person behind a stream, by the same cookies that the pages use."""
    request = HttpRequest()
    for name, value in scope["headers"]:
        if name == b"cookie":
            request.COOKIES.update(parse_cookie(value.decode("latin-1")))
    engine = import_module(settings.SESSION_ENGINE)
    request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return known_person(request)
