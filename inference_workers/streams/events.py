"""What stands in a stream, and under which key and ids."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

# The cursor of a reader that has seen nothing.
START = "0-0"
# The last entry of an attempt stands behind all of its deltas, whoever writes it and however often.
END_SEQUENCE = 2**32
MAX_ENTRIES = 10_000
SECONDS_KEPT = 3600


class Kind(StrEnum):
    """DELTA: more text. RESET: forget the text so far, a new one begins. DONE and FAILED: nothing follows."""

    DELTA = "delta"
    RESET = "reset"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """`entry_id` is the cursor to go on from. `text` is empty unless `kind` is DELTA."""

    completion_id: UUID
    entry_id: str
    kind: Kind
    text: str = ""

    @property
    def attempt(self) -> int:
        return int(self.entry_id.split("-")[0])

    @property
    def is_last(self) -> bool:
        return self.kind in (Kind.DONE, Kind.FAILED)


def stream_key(completion_id: UUID | str) -> str:
    return f"completion:{completion_id}"


def entry_id(attempt: int, sequence: int) -> str:
    return f"{attempt}-{sequence}"


def place(entry_id: str) -> tuple[int, int]:
    """Ids in the order Redis gives them."""
    attempt, sequence = entry_id.split("-")
    return int(attempt), int(sequence)


def follows(entry_id: str, cursor: str) -> bool:
    """Whether this piece of text is the very next after `cursor`: within an attempt the numbers have no gaps."""
    (attempt, sequence), (attempt_before, before) = place(entry_id), place(cursor)
    return sequence == (before + 1 if attempt == attempt_before else 1)


def fields(kind: Kind, text: str = "") -> dict[Any, Any]:
    return {"kind": kind.value, "text": text} if text else {"kind": kind.value}


def valid_cursor(value: str | None) -> str:
    """`value` if it can be an entry's id, else START: a Last-Event-ID is whatever a client sends."""
    return value if value and re.fullmatch(r"[0-9]{1,5}-[0-9]{1,12}", value, re.ASCII) else START


def parse(completion_id: UUID, raw_id: bytes | str, raw: dict[Any, Any]) -> StreamEvent:
    decoded = {_text(name): _text(value) for name, value in raw.items()}
    return StreamEvent(completion_id, _text(raw_id), Kind(decoded["kind"]), decoded.get("text", ""))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
