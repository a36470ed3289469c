"""What a language model costs, in words."""

from decimal import Decimal

from django.utils.translation import gettext as _

from inference_workers.policies.prices import Prices


def price_words(prices: Prices) -> str:
    """Empty where it is not known."""
    if not prices.are_known:
        return ""
    if not prices.of_files:
        words = _("%(read)s USD read, %(written)s USD written, for a million tokens")
        return words % {"read": _plain(prices.read), "written": _plain(prices.written)}
    parts = []
    if prices.file is not None:
        parts.append(_("%(price)s USD for each file") % {"price": _plain(prices.file)})
    if prices.second is not None:
        parts.append(_("%(price)s USD for each second") % {"price": _plain(prices.second)})
    if prices.read:
        parts.append(_("%(price)s USD for a million tokens read") % {"price": _plain(prices.read)})
    return ", ".join(parts)


def _plain(price: Decimal | None) -> str:
    return f"{(price or Decimal()).normalize():f}"
