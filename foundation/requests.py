"""A request as the middleware leaves it, and what views read from one."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

# What a key of the database can be.
LARGEST = 2**63 - 1


class HtmxRequest(HttpRequest):
    """As `django_htmx.middleware` leaves it."""

    htmx: HtmxDetails


def number_posted(request: HttpRequest, name: str) -> int:
    """A whole number from a form; 0, which no row has for its key, where none was sent."""
    typed = request.POST.get(name, "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 20):
        return 0
    number = int(typed)
    return number if number <= LARGEST else 0
