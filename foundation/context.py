from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page knows. The nonce is made when a template writes it, so that a page without script has none."""
    return {
        "csp_nonce": SimpleLazyObject(lambda: str(getattr(request, "csp_nonce", ""))),
        "site_name": "Cardinal",
        "version": settings.VERSION,
        # A view sets it for a page that stands alone, without navigation and footer.
        "plain_chrome": False,
    }
