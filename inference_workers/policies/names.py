"""Names that a text must not say, found while it streams."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from inference_workers.enums import Rejection
from inference_workers.policies.rejection import RejectedText

# May stand between the characters of a name: "Smol-LM", "S m o l", "**Smol**LM", "GPT.4".
GAPS = frozenset("-_*~`'’·•/\\|+.‐‑‒–—")
MOST_GAPS = 8
# A shorter name may be interrupted only where it is itself: "Phi 4", but not "p h i".
SPELLED_OUT_FROM = 5


class NameGuard:
    """Holds text that could become one of `names` and raises RejectedText when it has.

    Compared are letters and digits, folded in case, width and accents. A name counts as a word of its own: "Phi" is not
    in "graphic". It does not know look-alike letters of other scripts, translations or descriptions.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._patterns = [pattern for pattern in map(Name, dict.fromkeys(self.names)) if len(pattern.letters) > 1]
        self._held = ""
        self._before = ""  # the letter or digit, or other character, in front of what is held

    def push(self, text: str) -> str:
        self._held += text
        return self._release(self._first_suspect(final=False))

    def finish(self) -> str:
        """The text has ended: give out what only began like a name."""
        return self._release(self._first_suspect(final=True))

    def _release(self, count: int) -> str:
        text, self._held = self._held[:count], self._held[count:]
        self._before = next((c for c in reversed(text) if fold(c) or not _is_invisible(c)), self._before)
        return text

    def _first_suspect(self, *, final: bool) -> int:
        before = fold(self._before)[-1:]
        for at, character in enumerate(self._held):
            folded = fold(character)
            if folded:
                for pattern in self._patterns:
                    if _joins(before, folded[0]) or not pattern.begins_like(folded):
                        continue
                    verdict = pattern.read(self._held, at, final=final)
                    if verdict is None:
                        return at
                    if verdict:
                        raise RejectedText(Rejection.IDENTITY_LEAK)
                before = folded[-1]
            elif not _is_invisible(character):
                before = ""
        return len(self._held)


class Name:
    """One name as it is looked for: its letters and digits, and where gaps may stand between them."""

    def __init__(self, name: str) -> None:
        letters: list[str] = []
        gaps: set[int] = set()
        for character in name:
            folded = fold(character)
            if not folded or (letters and folded[0].isdigit() != letters[-1].isdigit()):
                gaps.add(len(letters))
            letters.extend(folded)
        self.letters = "".join(letters)
        self._gaps = range(1, len(letters)) if len(letters) >= SPELLED_OUT_FROM else gaps

    def begins_like(self, folded: str) -> bool:
        return self.letters.startswith(folded[: len(self.letters)])

    def read(self, text: str, at: int, *, final: bool) -> bool | None:
        """Whether the name stands at `at`; None while the end of `text` leaves it open, which `final` rules out."""
        matched = gap = 0
        while matched < len(self.letters):
            if at == len(text):
                return False if final else None
            character, at = text[at], at + 1
            folded = fold(character)
            if folded:
                if not self.letters.startswith(folded, matched):
                    return False
                matched, gap = matched + len(folded), 0
            elif not _is_invisible(character):
                gap += 1
                if gap > MOST_GAPS or matched not in self._gaps or not _is_gap(text, at - 1):
                    return False
        return self._ends_here(text, at, final=final)

    def _ends_here(self, text: str, at: int, *, final: bool) -> bool | None:
        while at < len(text) and _is_invisible(text[at]):
            at += 1
        if at == len(text):
            return True if final else None
        following = fold(text[at])[:1]
        if following.isdigit():
            return not self.letters[-1].isdigit()
        return not _joins(self.letters[-1], following)


@lru_cache(maxsize=4096)
def fold(character: str) -> str:
    """The letters and digits of a character without case, width, accents; empty for everything else."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(part for part in folded if part.isalnum())


def _is_invisible(character: str) -> bool:
    """Formatting characters such as the zero-width space, and marks that only decorate the letter before."""
    return unicodedata.category(character) in ("Cf", "Mn", "Me", "Cc") and not character.isspace()


def _is_gap(text: str, at: int) -> bool:
    if text[at] == ".":
        # The end of a sentence is no gap: "stop hugging. Face it".
        return not text[at + 1 : at + 2].isspace()
    return text[at] in GAPS or text[at].isspace()


def _joins(before: str, after: str) -> bool:
    """Whether two folded characters make one word. Chinese, Japanese and Thai write no spaces: there, none do."""
    if not before or not after:
        return False
    return all(character.isdigit() or ord(character) < 0x0E00 for character in (before, after)) and (
        before.isascii() == after.isascii()
    )
