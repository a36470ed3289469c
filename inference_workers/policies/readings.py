"""A text as house rules read it: without case, width, accents and invisible characters, and with the letters that its
letters only look like. Each reading knows where in the text its characters stand.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from inference_workers.policies.lookalikes import LEET, fold, is_invisible, looks_like

TOKEN = re.compile(r"\S+")
LATIN = re.compile(r"[A-Za-z]+")
# Without any of these nothing is in disguise.
SUSPECT = re.compile(r"[^\x00-\x7f]|[A-Za-z][0-9@$!|+]|[0-9@$!|+][A-Za-z]")


class _Plain(dict[int, str]):
    """What `str.translate` puts for a character, worked out once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if is_invisible(character):
            found = ""
        elif character.isspace():
            found = " "
        elif (digit := unicodedata.decimal(character, None)) is not None:
            found = str(digit)
        else:
            found = fold(character) or unicodedata.normalize("NFKD", character)
        self[code] = found
        return found


class _Skeleton(dict[int, str]):
    """The Latin letter that a letter, digit or sign is taken for."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        twins = () if character.isascii() else sorted(looks_like(character))
        leet = LEET.get(character, "")
        self[code] = found = (twins[0] if twins else leet[:1]) or PLAIN[code]
        return found


# One letter for all that are written for each other: i, l and with them 1 and |.
ALIKE = str.maketrans({"l": "i", "j": "i"})
PLAIN = _Plain()
SKELETON = _Skeleton()


@dataclass(frozen=True)
class Reading:
    """`pieces` are what each character of the text became."""

    text: str
    pieces: Sequence[str]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Of the text, for a span of the reading that is not empty."""
        return self._places[start], self._places[end - 1] + 1

    @cached_property
    def _places(self) -> Sequence[int]:
        """Where in the text each character of the reading comes from."""
        if isinstance(self.pieces, str):
            return range(len(self.text))
        return [place for place, piece in enumerate(self.pieces) for _ in piece]


def plain(text: str) -> str:
    return text.translate(PLAIN)


def skeleton(word: str) -> str:
    """Of a rule's own words, to look for in `disguised` readings."""
    return plain(word).translate(ALIKE)


def read_plain(text: str) -> Reading:
    said = plain(text)
    # One for each, as in most texts: none became two, or nothing.
    is_even = len(said) == len(text) and text.isascii()
    return Reading(said, said if is_even else [PLAIN[ord(character)] for character in text])


def read_disguised(text: str) -> Reading | None:
    """With the letters that others stand in for; None where nothing in the text is in disguise.

    A word is, if it mixes Latin letters with digits, signs or letters of other scripts that look like some; and one
    wholly in such letters is, in a text that is otherwise Latin.
    """
    if not SUSPECT.search(text):
        return None
    is_latin = 2 * sum(map(len, LATIN.findall(text))) > sum(map(str.isalpha, text))
    words = [(found.start(), unmask(found[0], is_latin)) for found in TOKEN.finditer(text)]
    if not any(word for _start, word in words):
        return None
    pieces = [PLAIN[ord(character)] for character in text]
    for start, word in words:
        pieces[start : start + len(word)] = word
    return Reading("".join(pieces), pieces)


@lru_cache(maxsize=8192)
def unmask(word: str, is_latin: bool) -> tuple[str, ...]:
    """What each character of a word in disguise stands for; nothing for another."""
    seen = [character for character in word if not is_invisible(character)]
    latin = any(c.isascii() and c.isalpha() for c in seen)
    foreign = [c for c in seen if c.isalpha() and not c.isascii()]
    twins = [c for c in foreign if looks_like(c) and fold(c) not in looks_like(c)]
    mixes = latin and (bool(twins) or any(c in LEET for c in seen))
    if not mixes and not (twins and is_latin and len(twins) == len(foreign)):
        return ()
    return tuple(SKELETON[ord(character)] for character in word)
