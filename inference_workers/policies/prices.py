"""What completions cost, in US dollars."""

import math
from dataclasses import dataclass
from decimal import Decimal

MILLION = 1_000_000
# Of English text; others have fewer.
CHARACTERS_PER_TOKEN = 4
# Of one picture of a prompt, whose longest side is bounded. Most servers count some 1,500 to 5,400 for the largest.
PICTURE_TOKENS = 6000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that one attempt read and wrote."""

    read: int
    written: int

    @property
    def tokens(self) -> int:
        return self.read + self.written


def cost_of(read: int, written: int, price_read: Decimal | None, price_written: Decimal | None) -> Decimal | None:
    """Of so many tokens, at prices for a million of them; None where a price is not known."""
    if price_read is None or price_written is None:
        return None
    return (read * price_read + written * price_written) / MILLION


def guessed_tokens(characters: int) -> int:
    """Of an endpoint that tells no counts, or broke off before it did."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN)
