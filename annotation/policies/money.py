from decimal import Decimal

from django.utils.formats import number_format

CENT = Decimal("0.01")


def shown_money(amount: Decimal) -> str:
    """With two decimals, and up to four where the ledger has parts of a cent."""
    fine = amount.quantize(Decimal("0.0001")).normalize()
    places = max(2, -int(fine.as_tuple().exponent))
    return number_format(amount.quantize(Decimal(1).scaleb(-places)), places, force_grouping=True)
