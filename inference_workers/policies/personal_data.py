"""Card numbers, telephone numbers and e-mail addresses, as spans of a plain reading."""

import re
from collections.abc import Callable, Iterator, Mapping

# Cards begin with these and have as many digits as their networks give them.
_CARD = re.compile(r"(?<![\d.,])(?:\d[ -]?){12,18}\d(?![\d]|[.,]\d)")
_CARD_BEGINS = re.compile(r"3[0-9]|4|5[0-9]|2[2-7]|6")
# What the networks publish for tests stands in every manual of a payment service.
_TEST_CARDS = frozenset(
    {
        *("4111111111111111", "4242424242424242", "4012888888881881", "4000056655665556", "5555555555554444"),
        *("5105105105105100", "2223003122003222", "378282246310005", "371449635398431", "6011111111111117"),
        *("6011000990139424", "30569309025904", "38520000023237", "3530111333300000", "3566002020360505"),
    }
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@((?:[\w-]{1,63}\.){1,8}[a-z]{2,24})(?![\w-])")
# RFC 2606 and 6761 keep them for texts like these.
_NOBODYS = re.compile(r"(?:.*\.)?(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost|local)")
# With the country's prefix, or in the groups in which numbers are written where they have an area code.
_PHONE = re.compile(
    r"(?<![\w+.,/-])(?:(?:\+|00)[1-9]\d{0,2}[ ./-]?(?:\(0?\d{1,4}\)[ ./-]?)?(?:\d{1,4}[ ./-]?){2,5}\d{1,4}"
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4}|0\d{2,4}[ /-]\d{3,8}(?:[ -]?\d{2,4}){0,3})(?![\w]|[.,/-]\d)"
)
# Kept for films and books in North America and Great Britain.
_FICTION = re.compile(r"(?:1?\d{3})?55501\d{2}|(?:44|0)(?:1632960|7700900|2079460)\d{3}")
LONGEST_PHONE = 15
SHORTEST_PHONE = 9

Spans = Iterator[tuple[int, int]]


def cards(text: str) -> Spans:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if _CARD_BEGINS.match(digits) and digits not in _TEST_CARDS and passes_luhn(digits) and len(set(digits)) > 2:
            yield found.span()


def passes_luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0


def emails(text: str) -> Spans:
    for found in _EMAIL.finditer(text):
        if not _NOBODYS.fullmatch(found[1]):
            yield found.span()


def phones(text: str) -> Spans:
    for found in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", found[0]).removeprefix("00")
        if SHORTEST_PHONE <= len(digits) <= LONGEST_PHONE and not _FICTION.fullmatch(digits):
            yield found.span()


CHECKS: Mapping[str, Callable[[str], Spans]] = {"card": cards, "email": emails, "phone": phones}
