"""Pages that tell about the site itself, and the two files that robots and browsers ask for."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from config.third_party import CARRIED, third_party_notices, third_party_packages


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/about.html", {"packages": third_party_packages(), "carried": CARRIED})


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    return HttpResponse(third_party_notices(), content_type="text/plain; charset=utf-8")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/privacy.html", _operator())


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/terms.html", _operator())


@require_safe
@cache_control(max_age=86400, public=True)
def robots(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/robots.txt", content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(max_age=86400, public=True)
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers that ask here without looking at the page get the same drawing."""
    return HttpResponsePermanentRedirect(static("cardinal/favicon.svg"))


def _operator() -> dict[str, str]:
    return {"operator_name": settings.OPERATOR_NAME, "operator_contact": settings.OPERATOR_CONTACT}
