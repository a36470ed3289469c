"""What completions cost, in US dollars."""

import math
from dataclasses import dataclass
from decimal import Decimal

from inference_workers.enums import Output
from inference_workers.models import LanguageModel, LanguageModelRevision

MILLION = 1_000_000
# Of English text; others have fewer.
CHARACTERS_PER_TOKEN = 4
# Of one picture of a prompt, whose longest side is bounded. Most servers count some 1,500 to 5,400 for the largest.
PICTURE_TOKENS = 6000


@dataclass(frozen=True, slots=True)
class Usage:
    """What one attempt took: tokens read and written, and files with the seconds that they play, None where nobody
    knows how many. `unheard` says that a file is reckoned with of which nobody knows whether it was made."""

    read: int
    written: int
    files: int = 0
    seconds: float | None = None
    unheard: bool = False

    @property
    def tokens(self) -> int:
        return self.read + self.written


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens read and written, and, of who answers with files, of each file and of each second of it; None
    where nobody said. `longest_seconds` is what a file counts with whose length is not known."""

    read: Decimal | None = None
    written: Decimal | None = None
    file: Decimal | None = None
    second: Decimal | None = None
    longest_seconds: int | None = None
    of_files: bool = False

    @classmethod
    def of(cls, revision: LanguageModelRevision, model: LanguageModel | None = None) -> "Prices":
        """Of this moment."""
        model = model or revision.language_model
        return cls(
            read=model.price_read,
            written=model.price_written,
            file=model.price_file,
            second=model.price_second,
            longest_seconds=model.longest_seconds,
            of_files=revision.output != Output.TEXT,
        )

    @property
    def are_known(self) -> bool:
        """Many files cost nothing for the words that ask for them; that they cost nothing themselves is said."""
        if self.of_files:
            return self.file is not None or self.second is not None
        return self.read is not None and self.written is not None


def cost_of(usage: Usage, prices: Prices) -> Decimal | None:
    """None where a price is not known."""
    if not prices.are_known:
        return None
    words = (usage.read * (prices.read or Decimal()) + usage.written * (prices.written or Decimal())) / MILLION
    return words + usage.files * cost_of_a_file(usage.seconds, prices) if prices.of_files else words


def cost_of_a_file(seconds: float | None, prices: Prices) -> Decimal:
    """Besides the words that ask for it; without seconds the most."""
    played = (prices.longest_seconds or 0) if seconds is None else Decimal(str(round(seconds, 3)))
    return (prices.file or Decimal()) + played * (prices.second or Decimal())


def guessed_tokens(characters: int) -> int:
    """Of an endpoint that tells no counts, or broke off before it did."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN)
