"""How text, times and numbers are shown."""

from datetime import UTC, datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import is_naive

from foundation.markdown import shown_apart

register = template.Library()

MINUS = "\N{MINUS SIGN}"


@register.filter
def markdown(text: str | None) -> SafeString:
    """Untrusted Markdown as safe HTML."""
    return shown_apart(text or "")


@register.filter
def local_time(moment: datetime | None) -> str:
    """A time in UTC that static/foundation/local_time.js turns into the reader's own."""
    if moment is None:
        return ""
    moment = moment.replace(tzinfo=UTC) if is_naive(moment) else moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" data-local>{} UTC</time>',
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        date_format(moment, "Y-m-d H:i"),
    )


@register.filter
def signed(number: float | None, places: int = 0) -> str:
    """+12, −3 or 0, with a true minus sign and never a negative zero."""
    if number is None:
        return ""
    text = f"{abs(number):.{places}f}"
    if float(text) == 0:
        return text
    return f"{'+' if number > 0 else MINUS}{text}"


@register.filter
def percent(share: float | None, places: int = 0) -> str:
    """0.256 as 26 %, with a narrow space that does not break."""
    return "" if share is None else f"{share * 100:.{places}f}\N{NARROW NO-BREAK SPACE}%"
