"""What a browser has of a turn, and how it says so when it returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from arena.lockstep import Lockstep, Side
from arena.queries.answering import AnsweringTurn

BYTES = 6


class Shown:
    """The characters of each side that were sent since the last restart, and a digest of them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self._digests = {side: blake2b(text.encode(), digest_size=BYTES) for side, text in texts.items()}

    @classmethod
    def nothing(cls, sides: Mapping[str, Side]) -> "Shown":
        return cls(dict.fromkeys(sides, ""))

    @classmethod
    def beginning(cls, sides: Mapping[str, Side], position: int) -> "Shown":
        return cls({name: side.text[:position] for name, side in sides.items()})

    def add(self, delta: Mapping[str, str]) -> None:
        for side, text in delta.items():
            self.texts[side] += text
            self._digests[side].update(text.encode())

    @property
    def digest(self) -> str:
        return "".join(self._digests[side].hexdigest() for side in sorted(self._digests))

    def is_beginning_of(self, lockstep: Lockstep) -> bool:
        """Whether the texts still begin with it, and nothing before the position is missing."""
        return all(side.text[: lockstep.released] == self.texts[name] for name, side in lockstep.sides.items())


@dataclass(frozen=True)
class Seen:
    """What a returning browser says that it has. No text has an empty digest."""

    turn: int
    position: int
    digest: str


def parse_resume(value: str, turn: AnsweringTurn, furthest: int) -> Seen | None:
    """What a browser has by the id of its last event; None where it has nothing yet.

    The id is whatever a client sends. One that cannot be is taken for a text that nobody knows: a position beyond the
    `furthest` that any reader has come to would be answered when the slower model has come so far.
    """
    if not value:
        return None
    number, _, rest = value.partition(".")
    position, _, digest = rest.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 9 for part in (number, position)):
        return Seen(turn.number, 0, "")
    is_possible = turn.ended or int(position) <= furthest
    return Seen(int(number), int(position), digest) if is_possible else Seen(turn.number, 0, "")
