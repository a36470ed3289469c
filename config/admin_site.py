from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import secure_admin_login
from csp.constants import NONCE
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

View = Callable[..., Any]


class CardinalAdminSite(AdminSite):
    site_header = _("Cardinal administration")
    site_title = _("Cardinal administration")
    index_title = _("Models, campaigns and people")
    enable_nav_sidebar = False

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def with_its_scripts(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            response = inner(request, *args, **kwargs)
            response._csp_replace = {"script-src": [NONCE, *self.script_addresses(request)]}
            return response

        return with_its_scripts

    def script_addresses(self, request: HttpRequest) -> list[str]:
        """Django's own scripts carry no nonce; they are named by their folder, and nothing beside it may run."""
        folder = static("admin/js/core.js").rpartition("/")[0] + "/"
        return [request.build_absolute_uri(path) for path in (folder, reverse(f"{self.name}:jsi18n"))]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """By the site's own page, which asks for a second factor and counts attempts; Django's does neither."""
        page: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return page
