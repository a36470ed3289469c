"""A number of money as people type it. Exact, or refused with a reason: never guessed."""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from annotation.questions.refusals import Refused
from foundation.text import clean_text

# Numeric(16, 4): what the log can hold.
PLACES = 4
WHOLE_DIGITS = 12
TYPED = re.compile(r"(?P<whole>\d+)(?:(?P<mark>[.,])(?P<fraction>\d+))?", re.ASCII)
MINUS_SIGNS = "-\N{MINUS SIGN}\N{EN DASH}\N{FULLWIDTH HYPHEN-MINUS}"
ARABIC_MARK = "\N{ARABIC DECIMAL SEPARATOR}"
LONGEST = 80


def parse_amount(raw: Any) -> Decimal:
    """The amount as an exact decimal of two or four places. Raises Refused for whatever is not plainly one.

    Takes text, whole numbers, Decimals and finite floats as JSON writes them. The mark before the cents may be a point
    or a comma. One mark with three digits after it may be either thousands or thousandths ("1,500", "1.500"): that is
    a factor of a thousand, so it is asked back. No other separators, signs, exponents or units.
    """
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        raise Refused("malformed", _("An amount is a number."))
    if isinstance(raw, str):
        return _fit(*_split(_ascii_digits(raw.strip())))
    if isinstance(raw, int) and abs(raw) >= 10**WHOLE_DIGITS:
        raise _negative() if raw < 0 else _too_large()
    # repr of a float is the shortest text that gives it back, which is what was written in the JSON.
    exact = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    if not exact.is_finite():
        raise _not_a_number(str(exact))
    if exact < 0:
        raise _negative()
    if exact and exact.adjusted() >= WHOLE_DIGITS:
        raise _too_large()
    if exact and exact.adjusted() < -PLACES:
        raise _too_fine()
    whole, _mark, fraction = f"{abs(exact):f}".partition(".")
    return _fit(whole, fraction)


def amount_text(amount: Decimal) -> str:
    """Two decimals, or four where two would not be exact; never three, which could be misread as thousands."""
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents if cents == amount else amount.quantize(Decimal('0.0001')):f}"


def _split(typed: str) -> tuple[str, str]:
    if typed.startswith(tuple(MINUS_SIGNS)) and TYPED.fullmatch(typed[1:].strip()):
        raise _negative()
    match = TYPED.fullmatch(typed) if len(typed) <= LONGEST else None
    if match is None:
        raise _not_a_number(typed)
    whole, fraction = match["whole"], match["fraction"] or ""
    if len(fraction) == 3 and not whole.startswith("0") and len(whole) <= 3:
        thousandths = amount_text(Decimal(f"{whole}.{fraction}"))
        raise Refused(
            "ambiguous",
            _("“%(typed)s” can be read in two ways. Type %(thousands)s or %(thousandths)s.")
            % {"typed": typed, "thousands": whole + fraction, "thousandths": thousandths},
        )
    return whole, fraction


def _fit(whole: str, fraction: str) -> Decimal:
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    if len(whole) > WHOLE_DIGITS:
        raise _too_large()
    if len(fraction) > PLACES:
        raise _too_fine()
    return Decimal(amount_text(Decimal(f"{whole}.{fraction or '0'}")))


def _ascii_digits(typed: str) -> str:
    """Digits of any script as 0 to 9, and the mark of an Arabic keyboard; nothing else is folded, so that 10² does not
    become 102."""
    if len(typed) > LONGEST:
        return typed
    folded = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in typed)
    return folded.replace(ARABIC_MARK, ".")


def _not_a_number(typed: str) -> Refused:
    shown = clean_text(typed[:40]) + ("…" if len(typed) > 40 else "")
    words = _("“%(typed)s” is not an amount. Type digits only, with a point or a comma before the cents.")
    return Refused("not_a_number", words % {"typed": shown})


def _too_fine() -> Refused:
    return Refused("too_fine", _("An amount has at most four decimals."))


def _negative() -> Refused:
    return Refused("negative", _("An amount cannot be below zero: it is for the one that you chose."))


def _too_large() -> Refused:
    return Refused(
        "too_large", _("That is more than can be kept: an amount has at most twelve digits before the point.")
    )
