"""Static files are answered before the site: a request for a stylesheet meets no middleware, no session, no database.

The library's own middleware would do it inside Django. It can only be awaited, so that under WSGI every page changes
threads on its way in and out: 8 ms of processor a request, as much as a small page itself.
"""

import re
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings

# What `collectstatic` writes into a name; a file of such a name never changes.
HASHED = re.compile(r"\.[0-9a-f]{12}\.[^/]+$")


def options() -> dict[str, Any]:
    """For `ServeStatic` and `ServeStaticASGI`: the folder that `collectstatic` wrote, looked at once."""
    return {
        "root": settings.STATIC_ROOT,
        "prefix": settings.STATIC_URL,
        "immutable_file_test": lambda path, url: HASHED.search(url) is not None,
        "add_headers_function": say_what_it_is,
    }


def say_what_it_is(headers: Headers, path: str, url: str) -> None:
    """The site's middleware, which says it of pages, is not asked."""
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = settings.SECURE_REFERRER_POLICY
