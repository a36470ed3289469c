"""The addresses of every page. API routes are gathered in `config.api`."""

from django.contrib import admin
from django.urls import include, path

from config import errors, pages

urlpatterns = [
    path("", include("arena.web.urls")),
    path("", include("arena.web.arena_urls")),
    path("", include("annotation.web.urls")),
    path("", include("inference_workers.web.urls")),
    path("about", pages.about, name="about"),
    path("about/notices", pages.notices, name="notices"),
    path("privacy", pages.privacy, name="privacy"),
    path("terms", pages.terms, name="terms"),
    path("robots.txt", pages.robots, name="robots"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("account/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("config.api")),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
