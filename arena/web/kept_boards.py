"""A board's page as everybody reads it who is not signed in: made once for all that it shows, not once for each reader.

What decides whether a page may be shown again is `stamp_of` everything that its template reads: what is added to the
context is in the stamp, and a value that cannot be stamped is an error. Nothing of who reads is in a page that is kept:
it has no token and no nonce of its own, and whoever may have a session or a message is answered by the view.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import redis
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import caches
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch
from django.utils.cache import get_conditional_response
from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_from_request

from annotation.models import LeaderboardSnapshot
from annotation.queries.snapshots import names_of_entries
from arena.web.visitors import COOKIE
from foundation.conditional import tag_of

# The pages that are kept: the default arena's board, each by its name, and each snapshot by its number.
ADDRESSES = re.compile(r"/leaderboard(/[-a-zA-Z0-9_]+(/[0-9]+)?)?")
HTMX = "HTTP_HX_REQUEST"
# Seconds after which a page that nobody's request changed is made anew all the same.
KEPT = 3600
# With one of these, somebody may be somebody: a session, or a message that waits for its reader.
PERSONAL = ("messages", settings.SESSION_COOKIE_NAME)
MADE_ANEW = ("Content-Length", "Content-Security-Policy")
PLAIN = (str, bytes, int, float, bool, date, Decimal, UUID, type(None))


@dataclass(frozen=True)
class Kept:
    """A page between its nonces, which each answer has its own of."""

    tag: str
    parts: list[bytes]
    headers: dict[str, str]


class KeptPage(HttpResponse):
    """What `kept_page` answers with, and of what it is made."""

    def __init__(self, request: HttpRequest, tag: str, parts: list[bytes]) -> None:
        super().__init__(joined(request, parts), headers={"ETag": tag})
        self.parts = parts


class KeptBoards:
    """Answers with a page that is kept before sessions, users and the database are asked for anything; for the seconds
    of BOARD_PAGE_SECONDS it is not even looked whether something changed."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._call_async(request)
        key = key_of(request)
        kept = key and found_again(request, key)
        return answered(request, kept) if kept else keep(request, key, self.get_response(request))

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        key = key_of(request)
        kept = key and found_again(request, key)
        return answered(request, kept) if kept else keep(request, key, await self.get_response(request))


def key_of(request: HttpRequest) -> str:
    """Of requests whose answers are one page for everybody; empty for all others."""
    if not ADDRESSES.fullmatch(request.path_info) or not reads_as_everybody(request) or HTMX in request.META:
        return ""
    site = f"{request.scheme}://{request.get_host()}"
    return f"arena.board:{site}{request.path_info}:{get_language_from_request(request)}:{_visitor(request)}"


def reads_as_everybody(request: HttpRequest) -> bool:
    is_plain = request.method in ("GET", "HEAD") and not request.META.get("QUERY_STRING")
    return is_plain and not any(name in request.COOKIES for name in PERSONAL)


def _visitor(request: HttpRequest) -> str:
    """The head of a page links to what is a visitor's own, for every visitor alike."""
    return "visitor" if request.COOKIES.get(COOKIE) else ""


def found_again(request: HttpRequest, key: str) -> Kept | None:
    kept: Kept | None = from_cache(key)
    if kept is not None:
        # What counts requests goes by the view.
        request.resolver_match = ResolverMatch(answered, (), {}, url_name="board")
    return kept


def keep(request: HttpRequest, key: str, response: HttpResponseBase) -> HttpResponseBase:
    """A page that was made for one reader is handed on as it is."""
    if not key or not isinstance(response, KeptPage) or response.cookies:
        return response
    headers = {name: value for name, value in response.items() if name not in MADE_ANEW}
    kept = Kept(response["ETag"], response.parts, headers)
    if settings.BOARD_PAGE_SECONDS:
        to_cache(key, kept, settings.BOARD_PAGE_SECONDS)
    return answered(request, kept)


def answered(request: HttpRequest, kept: Kept) -> HttpResponse:
    """A reader who has the page keeps the policy whose nonce is in it: an answer without a page has no policy."""
    known: HttpResponse | None = None
    if "HTTP_IF_NONE_MATCH" in request.META:
        known = get_conditional_response(request, etag=kept.tag)
    if known is None:
        body = joined(request, kept.parts)
        return HttpResponse(body, headers=kept.headers | {"Content-Length": str(len(body))})
    for name in ("ETag", "Vary", "Cache-Control"):
        known[name] = kept.headers[name]
    return csp_exempt_answer(known)


def csp_exempt_answer(response: HttpResponse) -> HttpResponse:
    response._csp_exempt = True  # type: ignore[attr-defined]  # as django-csp's own decorator does
    return response


def joined(request: HttpRequest, parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else str(request.csp_nonce).encode().join(parts)  # type: ignore[attr-defined]


# -- what the view keeps


def kept_page(request: HttpRequest, stamp: str, make: Callable[[], HttpResponse]) -> KeptPage:
    """The page of that stamp, from the cache or made now and kept.

    Its tag is weak, for two answers with one tag differ in their nonce.
    """
    where = (request.path, HTMX in request.META, _visitor(request))
    key = digest(stamp, get_language(), settings.VERSION, static_version(), where)
    parts: list[bytes] | None = from_cache(f"arena.board_page:{key}")
    if parts is None:
        # The nonce is drawn anew for each answer: nothing else in a page can be it.
        parts = make().content.split(str(request.csp_nonce).encode())  # type: ignore[attr-defined]
        to_cache(f"arena.board_page:{key}", parts, KEPT)
    return KeptPage(request, f"W/{tag_of(key)}", parts)


def static_version() -> str:
    return str(getattr(staticfiles_storage, "manifest_hash", ""))


def digest(*parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()


def stamp_of(context: Mapping[str, Any]) -> str:
    """Changes with whatever the templates can read of the context."""
    return digest(stamped(context))


def stamped(value: Any, above: tuple[Model, ...] = ()) -> Any:
    """Raises TypeError for what it cannot look into: nothing is left out unsaid. `above` is what the value hangs on."""
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Model):
        return _stamped_row(value, above)
    if is_dataclass(value):
        return [stamped(getattr(value, each.name), above) for each in fields(value)]
    if isinstance(value, Mapping):
        return [(stamped(name), stamped(each, above)) for name, each in value.items()]
    if isinstance(value, list | tuple):
        return [stamped(each, above) for each in value]
    raise TypeError(f"a page that is kept cannot depend on {type(value).__name__}")


def _stamped_row(row: Model, above: tuple[Model, ...]) -> Any:
    """Every column that was read, and every row that was read with it."""
    if isinstance(row, LeaderboardSnapshot) and "standings" in row.__dict__:
        # Its standings are those of its number, but for names.
        return row.pk, row.digest, row.is_renamed, names_of_entries(row)
    held = {name: each for name, each in row.__dict__.items() if name != "_state"}
    beside = {name: each for name, each in row._state.fields_cache.items() if each not in above}
    return type(row).__name__, stamped(held), stamped(beside, (*above, row))


# -- the cache, without which pages are made as ever


def from_cache(key: str) -> Any:
    try:
        return caches["pages"].get(key)
    except (redis.RedisError, OSError):
        return None


def to_cache(key: str, value: Any, seconds: float) -> None:
    try:
        caches["pages"].set(key, value, seconds)
    except (redis.RedisError, OSError):
        # The next reader's page is made once more.
        return
