"""Answers that are not sent again to a reader who has them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.crypto import salted_hmac


def tag_of(*parts: object) -> str:
    """A strong ETag of everything that an answer is made of. It is keyed, so that nobody can try out by it what a part
    that they may not read might be."""
    text = "\n".join(repr(part) for part in parts)
    return f'"{salted_hmac("foundation.conditional", text, algorithm="sha256").hexdigest()[:40]}"'


def unless_known(request: HttpRequest, tag: str, make: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """What `make` gives, with the tag; or, without making it, that nothing changed.

    Only the tag decides. A date would not tell that a name may be said no longer.
    """
    known: HttpResponse | None = get_conditional_response(request, etag=tag)
    answer = make() if known is None else known
    answer["ETag"] = tag
    return answer
