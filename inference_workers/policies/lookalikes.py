"""What a character may stand for in a name: itself without case, width and accents, and the letters it looks like."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from confusable_homoglyphs.confusables import confusables_data

# Digits and signs that are written for letters: "Cl4ud3".
LEET = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "bg",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "il",
    "€": "e",
    "+": "t",
    "£": "l",
}
# The two letters that most typefaces of screens draw alike: "CIaude". For house rules they are one anyway.
ALIKE = {"I": "l", "l": "i"}
# They are letters to Unicode and blank to everybody else.
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# "LATIN SMALL LETTER L WITH STROKE", "LATIN LETTER SMALL CAPITAL L", "NEGATIVE SQUARED LATIN CAPITAL LETTER L".
LATIN_BY_NAME = re.compile(
    r"(?:.*\bLATIN (?:SMALL|CAPITAL) LETTER|LATIN LETTER SMALL CAPITAL|REGIONAL INDICATOR SYMBOL LETTER)"
    r" (?:DOTLESS |SCRIPT |OPEN |LONG |TURNED |REVERSED |SIDEWAYS )?([A-Z])(?: WITH .*| BAR)?"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """`letters` are what it may stand for, the plain one first; `leet` those it stands for as a digit or sign, or as
    the letter that is drawn alike."""

    letters: tuple[str, ...]
    leet: str


@lru_cache(maxsize=8192)
def read_character(character: str) -> Reading:
    if is_invisible(character):
        return Reading((), "")
    plain = fold(character)
    letters = [plain] if plain else []
    if not character.isascii() and character not in BLANKS:
        letters += sorted(looks_like(character) - {plain})
    return Reading(tuple(letters), LEET.get(character) or ALIKE.get(character, ""))


@lru_cache(maxsize=8192)
def fold(character: str) -> str:
    """The letters and digits of a character without case, width, accents; empty for everything else."""
    if character in BLANKS:
        return ""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(part for part in folded if part.isalnum() and part not in BLANKS)


@lru_cache(maxsize=8192)
def looks_like(character: str) -> frozenset[str]:
    """The Latin letters that Unicode's table of confusable characters, or the character's own name, gives it."""
    found = {letter for twin in _table().get(character, ()) if (letter := _latin(twin))}
    found |= {own} if (own := _latin(character)) else set()
    if found & {"i", "l"}:
        found |= {"i", "l"}
    return frozenset(found)


def is_invisible(character: str) -> bool:
    """Formatting characters such as the zero-width space, and marks that only decorate the letter before."""
    if character in BLANKS:
        return True
    return unicodedata.category(character) in ("Cf", "Mn", "Me", "Cc") and not character.isspace()


@cache
def _table() -> dict[str, tuple[str, ...]]:
    return {
        character: tuple(twin["c"] for twin in twins if len(twin["c"]) == 1)
        for character, twins in confusables_data.items()
        if len(character) == 1 and not character.isascii()
    }


def _latin(character: str) -> str:
    if character.isascii():
        return character.lower() if character.isalpha() else ""
    named = LATIN_BY_NAME.fullmatch(unicodedata.name(character, ""))
    return named[1].lower() if named else ""
