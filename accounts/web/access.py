"""Who may see which pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.enums import Role
from accounts.models import User

View = Callable[..., HttpResponseBase]


def for_roles(*roles: str) -> Callable[[View], View]:
    """Others are asked to sign in, or refused where they have. A part of a page takes the whole page to the sign-in.

    Without roles everybody who is signed in may.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User) or not user.is_active:
                htmx = HtmxDetails(request)
                if htmx:
                    return HttpResponseClientRedirect(redirect_to_login(htmx.current_url_abs_path or "/").url)
                return redirect_to_login(request.get_full_path())
            if roles and not user.has_role(*roles):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate


for_operators = for_roles(Role.OPERATOR)
