"""One name, however it is written, found at a place of a text that may go on."""

import unicodedata
from typing import NamedTuple

from inference_workers.policies.lookalikes import fold, is_invisible, read_character

ABSENT = -1
# Between the letters of a name there may be as many characters that are no letters: "Smol-LM", "S m o l", "**Smol**LM".
MOST_GAPS = 8
# A name as long may be interrupted anywhere; one a letter shorter only everywhere; a still shorter one only where it is
# itself: "Phi 4", but not "p h i", which is the mathematician's.
INTERRUPTED_FROM = 5
SPELLED_OUT_FROM = 4
# Digits and signs may stand for letters, but not for most of a name: at least two letters are letters.
LEET_FROM = 4
# A longer name is one also where a capital letter begins what follows: "GeminiPro".
LONG = 6
ENDS_SENTENCE = frozenset(".,:;!?")


class State(NamedTuple):
    """How far a reading of the name has come."""

    matched: int
    gap: int  # characters of the gap it stands in
    gaps: int  # places where a gap was
    strewn: bool  # whether one of them is not the name's own
    leet: int


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
        self._own_gaps = frozenset(gaps)
        self.is_long = len(letters) >= LONG
        self._is_word = self.is_long and not gaps

    def read(self, text: str, at: int, *, final: bool) -> int | None:
        """Where the name that begins at `at` ends, or ABSENT; None while the end of `text` leaves it open."""
        states, size, begins_big = {State(0, 0, 0, False, 0)}, len(self.letters), text[at].isupper()
        while states:
            if at == len(text):
                return ABSENT if final else None
            states = self._after(states, text, at)
            at += 1
            if any(state.matched == size and self._may_be(state) for state in states):
                return self._end(text, at, may_own=begins_big and self._is_word, final=final)
        return ABSENT

    def _after(self, states: set[State], text: str, at: int) -> set[State]:
        character = text[at]
        if is_invisible(character):
            return states
        reading = read_character(character)
        found = set()
        for state in states:
            for letters in reading.letters:
                if self.letters.startswith(letters, state.matched):
                    found.add(state._replace(matched=state.matched + len(letters), gap=0))
            following = self.letters[state.matched : state.matched + 1]
            if following and following in reading.leet:
                found.add(state._replace(matched=state.matched + 1, gap=0, leet=state.leet + 1))
            if not reading.letters and state.matched and (longer := self._with_gap(state, text, at)):
                found.add(longer)
        return found

    def _with_gap(self, state: State, text: str, at: int) -> State | None:
        if state.gap == MOST_GAPS or state.matched == len(self.letters) or not _is_gap(text, at):
            return None
        if state.gap:
            return state._replace(gap=state.gap + 1)
        own = state.matched in self._own_gaps
        if not own and len(self.letters) < SPELLED_OUT_FROM:
            return None
        return state._replace(gap=1, gaps=state.gaps + 1, strewn=state.strewn or not own)

    def _may_be(self, state: State) -> bool:
        size = len(self.letters)
        if state.strewn and size < INTERRUPTED_FROM and state.gaps < size - 1:
            return False
        return not state.leet or (size >= LEET_FROM and size - state.leet >= max(2, size // 3))

    def _end(self, text: str, at: int, *, may_own: bool, final: bool) -> int | None:
        """The end of the name is at `at`, if no word goes on there; `may_own` lets an s follow, "Anthropics Regeln"."""
        end = at
        while at < len(text) and is_invisible(text[at]):
            at += 1
        if at == len(text):
            return end if final else None
        following = fold(text[at])[:1]
        if following.isdigit():
            return ABSENT if self.letters[-1].isdigit() else end
        if not joins(self.letters[-1], following) or (self.is_long and text[at].isupper() and text[at - 1].islower()):
            return end
        if may_own and text[at] == "s":
            if at + 1 == len(text):
                return end if final else None
            return ABSENT if joins("s", fold(text[at + 1])[:1]) else end
        return ABSENT


def begins_inside(before: str, text: str, at: int) -> bool:
    """Whether a capital letter begins a part of a word at `at`, "MyGemini"; `before` is what stands there."""
    return text[at].isupper() and (before.islower() or text[at + 1 : at + 2].islower())


def joins(before: str, after: str) -> bool:
    """Whether two folded characters make one word. Chinese, Japanese and Thai write no spaces: there, none do."""
    if not before or not after:
        return False
    return all(character.isdigit() or ord(character) < 0x0E00 for character in (before, after)) and (
        before.isascii() == after.isascii()
    )


def _is_gap(text: str, at: int) -> bool:
    character = text[at]
    if character in ENDS_SENTENCE:
        # The end of a sentence is no gap: "stop hugging. Face it".
        return not text[at + 1 : at + 2].isspace()
    return character.isspace() or unicodedata.category(character)[0] == "P" or character in "`~|=+^<>$"
