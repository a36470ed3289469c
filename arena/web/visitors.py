"""Who is asking: a signed-in user, or a browser with a visitor's cookie. The database knows only a digest of it."""

import secrets

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_user, person_of_visitor, visitor_digest
from foundation.planned import find_planned

COOKIE = "visitor"
NEW_VISITOR = "cardinal.new_visitor"
ONE_YEAR = 365 * 24 * 3600


def known_person(request: HttpRequest) -> Person | None:
    """The person behind a request, or None for a browser that has done nothing yet."""
    user = get_user(request) if not hasattr(request, "user") else request.user
    if user.is_authenticated:
        return Person.objects.filter(user=user).first()
    token = request.COOKIES.get(COOKIE, "")
    return find_planned(Person, column="visitor_digest", value=visitor_digest(token)) if token else None


def person_for(request: HttpRequest) -> Person:
    """The person behind a request, made on first need; `remember` must then see the response."""
    if request.user.is_authenticated:
        return person_of_user(user=request.user, now=timezone.now())
    token = request.COOKIES.get(COOKIE, "")
    if not (16 <= len(token) <= 64):
        token = secrets.token_urlsafe(24)
        request.META[NEW_VISITOR] = token
    return person_of_visitor(token=token, now=timezone.now())


def remember(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Give a new visitor their cookie."""
    token = request.META.get(NEW_VISITOR)
    if token:
        response.set_cookie(
            COOKIE, token, max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
    return response
