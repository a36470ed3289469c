"""Pages for requests that were refused or failed. Where no HTML is wanted, one line of JSON says the same."""

from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _alone(request, "400.html", status=400, detail=_("This request could not be read."))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _within_the_site(request, "403.html", status=403, detail=_("You are not allowed to do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Most often a page that stayed open while its cookie went away, so it says how to go on."""
    return _within_the_site(
        request,
        "403_csrf.html",
        status=403,
        detail=_("The form was too old. Reload the page and send it again."),
        without_cookie=reason == REASON_NO_CSRF_COOKIE,
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _within_the_site(request, "404.html", status=404, detail=_("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    return _alone(request, "500.html", status=500, detail=_("Something failed on our side."))


def _within_the_site(request: HttpRequest, template: str, *, status: int, detail: str, **context: Any) -> HttpResponse:
    if not _wants_html(request):
        return JsonResponse({"detail": detail}, status=status)
    return render(request, template, context, status=status)


def _alone(request: HttpRequest, template: str, *, status: int, detail: str) -> HttpResponse:
    """Rendered without context processors: they ask the database for the user, which may be what failed."""
    reference = structlog.contextvars.get_contextvars().get("request_id", "")
    if not _wants_html(request):
        return JsonResponse({"detail": detail, "reference": reference}, status=status)
    context = {
        "csp_nonce": str(getattr(request, "csp_nonce", "")),
        "version": settings.VERSION,
        "plain_chrome": True,
        "reference": reference,
    }
    return HttpResponse(render_to_string(template, context), status=status)


def _wants_html(request: HttpRequest) -> bool:
    return not request.path.startswith("/api/") and request.accepts("text/html")
