"""What gives a model away in its own text: its names, claims to be or to come from somebody, tokens of templates."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from inference_workers.enums import Rejection
from inference_workers.policies.claims import (
    AFTER,
    BEFORE,
    OF_MODELS,
    OF_VENDORS,
    Claim,
    is_sentence_over,
    makes_claim,
)
from inference_workers.policies.encoded import RUN, open_run, says_encoded
from inference_workers.policies.known import MODELS, VENDORS, listed
from inference_workers.policies.lookalikes import fold, is_invisible, read_character
from inference_workers.policies.names import ABSENT, Name, begins_inside, joins
from inference_workers.policies.rejection import RejectedText
from inference_workers.policies.tokens import find_token, open_token

# Behind a letter or digit no name begins with these.
INSIDE_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name that is looked for: one of the model's own anywhere, another where it makes one of `claims`."""

    name: Name
    claims: Sequence[Claim] | None


Index = Mapping[str, Sequence[Wanted]]


class LeakGuard:
    """Holds text that could become a leak and raises RejectedText when it has.

    What counts as one is said in decision 0029. Whatever was given out before is a beginning of the text that ends
    before the leak.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        own = [name for name in map(Name, dict.fromkeys(self.names)) if len(name.letters) > 1]
        self._own = _by_beginning(Wanted(name, None) for name in own)
        self._letters = [name.letters for name in own]
        self._held = ""
        self._given = ""  # the end of what was given out
        self._is_all = True  # whether that is all that was
        self._cleared = 0  # characters of what is held in which no name begins

    def push(self, text: str) -> str:
        self._held += text
        return self._release(self._harmless(final=False))

    def finish(self) -> str:
        """The text has ended: give out what only began like a leak."""
        return self._release(self._harmless(final=True))

    def _release(self, count: int) -> str:
        text, self._held = self._held[:count], self._held[count:]
        self._cleared -= count
        given = self._given + text
        self._is_all = self._is_all and len(given) <= BEFORE
        self._given = given[-BEFORE:]
        return text

    def _harmless(self, *, final: bool) -> int:
        """How much of what is held can no longer become part of a leak."""
        self._cleared = self._look_for_names(final=final)
        if find_token(self._held) >= 0 or any(says_encoded(run[0], self._letters) for run in RUN.finditer(self._held)):
            raise RejectedText(Rejection.IDENTITY_LEAK)
        if final:
            return len(self._held)
        return min(self._cleared, open_token(self._held), open_run(self._held))

    def _look_for_names(self, *, final: bool) -> int:
        """Where the first one may begin; raises where one has."""
        before, at = self._character_before(self._cleared), self._cleared
        while at < len(self._held):
            character = self._held[at]
            if before.isascii() and before.isalnum() and (inside := INSIDE_WORD.match(self._held, at)):
                at = inside.end()
                before = self._held[at - 1]
                continue
            if not is_invisible(character):
                if not self._none_begins(before, at, final=final):
                    return at
                before = character
            at += 1
        return at

    def _character_before(self, at: int) -> str:
        earlier = self._given + self._held[:at]
        return next((character for character in reversed(earlier) if not is_invisible(character)), "")

    def _none_begins(self, before: str, at: int, *, final: bool) -> bool:
        """False while it cannot be said that no name begins at `at`."""
        inside = begins_inside(before, self._held, at)
        behind, reading = fold(before)[-1:], read_character(self._held[at])
        for letters in (*reading.letters, *reading.leet):
            apart = not joins(behind, letters[0])
            if not apart and not inside:
                continue
            for wanted in self._beginning_with(letters, self._held[at + 1 : at + 2]):
                if (apart or wanted.name.is_long) and not self._is_cleared(wanted, at, final=final):
                    return False
        return True

    def _beginning_with(self, letters: str, following: str) -> Iterator[Wanted]:
        keys = [letters[0]]
        if len(letters) == 1 and following and (second := read_character(following)).letters:
            # A letter follows, so the name's second is one of those that it may stand for.
            keys = [letters + other for other in {*(reading[0] for reading in second.letters), *second.leet}]
        for key in keys:
            yield from self._own.get(key, ())
            yield from known_names().get(key, ())

    def _is_cleared(self, wanted: Wanted, at: int, *, final: bool) -> bool:
        """False while it cannot be said."""
        end = wanted.name.read(self._held, at, final=final)
        if end is None or end == ABSENT:
            return end is not None
        if wanted.claims is None:
            raise RejectedText(Rejection.IDENTITY_LEAK)
        before, after = (self._given + self._held[:at])[-BEFORE:], self._held[end : end + AFTER]
        if makes_claim(wanted.claims, before, after, begins=self._is_all and len(before) < BEFORE):
            raise RejectedText(Rejection.IDENTITY_LEAK)
        return final or len(after) == AFTER or is_sentence_over(after)


@cache
def known_names() -> Index:
    models = [Wanted(Name(name), OF_MODELS) for name in listed(MODELS)]
    return _by_beginning([*models, *(Wanted(Name(name), OF_VENDORS) for name in listed(VENDORS))])


def _by_beginning(wanted: Iterable[Wanted]) -> Index:
    """By the first letter, and by the first two."""
    index: dict[str, list[Wanted]] = defaultdict(list)
    for one in wanted:
        for beginning in (one.name.letters[:1], one.name.letters[:2]):
            index[beginning].append(one)
    return index
