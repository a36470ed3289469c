from decimal import Decimal

from django import template

from annotation.policies.money import shown_money

register = template.Library()


@register.filter
def money(amount: Decimal | None) -> str:
    return "–" if amount is None else shown_money(amount)
