from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import template

from annotation.policies.money import shown_money

register = template.Library()


@register.filter
def money(amount: Decimal | None) -> str:
    return "–" if amount is None else shown_money(amount)


@register.filter
def of(all_found: Mapping[str, Sequence[Any]], name: str) -> Sequence[Any]:
    """What a mapping holds under a name that the template knows by a variable."""
    return all_found.get(name, ())
