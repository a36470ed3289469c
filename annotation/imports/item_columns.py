"""What the columns of a file of items may mean, and a first guess of it from their names."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from annotation.enums import ItemPurpose
from annotation.imports.problems import BrokenFile, Problem
from annotation.imports.schema import FLAG_PREFIX
from annotation.imports.table_file import Columns, Shape, twice_in

MOST_RESPONSES = 9
MOST_COLUMNS = 200
NUMBERS = range(1, MOST_RESPONSES + 1)
RESPONSES = tuple(f"response_{number}" for number in NUMBERS)
MODELS = tuple(f"model_{number}" for number in NUMBERS)
# Names of media, in place of a response's text.
FILES = tuple(f"file_{number}" for number in NUMBERS)
PROMPT_FILE = "prompt_file"
MEANINGS = (
    *("prompt", PROMPT_FILE, "system", "prompt_id", *RESPONSES, *FILES, *MODELS),
    *("category", "language", "flags", "warnings", "purpose", "expected", "explanation"),
)
# Several columns may have this one; each is a flag of its own name.
FLAG = "flag"
# Not a column: what the items are for that do not say it themselves.
DEFAULT_PURPOSE = "default_purpose"

# By meaning, the names that public sets and our own exports use; earlier ones go first.
NAMES: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "instruction", "question", "query", "user_prompt", "user_input", "messages", "input"),
    PROMPT_FILE: ("prompt_file", "prompt_image", "prompt_audio", "prompt_video"),
    "system": ("system", "system_prompt", "system_message"),
    "prompt_id": ("prompt_id", "prompt_key", "question_id", "conversation_id"),
    "category": ("category", "topic", "domain", "task"),
    "language": ("language", "lang"),
    "flags": ("flags", "tags"),
    "warnings": ("warnings", "content_warnings", "content_warning"),
    "purpose": ("purpose",),
    "expected": ("expected",),
    "explanation": ("explanation",),
}
SIDES = ("response", "completion", "output", "answer", "candidate", "assistant", "generation")
MODEL_SIDES = ("model", "model_name", "generator")
FILE_SIDES = ("file", "image", "audio", "video", "recording", "media", "clip")


@dataclass(frozen=True)
class ItemColumns:
    """Which column has which meaning. A flag's meaning is `cat_` and its name."""

    by_meaning: Mapping[str, str]
    default_purpose: str = ItemPurpose.WORK.value

    @classmethod
    def from_json(cls, stored: Mapping[str, str]) -> "ItemColumns":
        columns = {meaning: column for meaning, column in stored.items() if meaning != DEFAULT_PURPOSE}
        return cls(columns, stored.get(DEFAULT_PURPOSE, ItemPurpose.WORK.value))

    def to_json(self) -> dict[str, str]:
        return {**self.by_meaning, DEFAULT_PURPOSE: self.default_purpose}

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(meaning for meaning in self.by_meaning if meaning.startswith(FLAG_PREFIX))

    @property
    def read(self) -> frozenset[str]:
        return frozenset(self.by_meaning.values())

    def label(self, meaning: str) -> str:
        """How a refusal names a cell: by what it means, and its column where that has another name."""
        column = self.by_meaning.get(meaning, meaning)
        return meaning if column == meaning else f"{meaning} ({column[:60]})"


class ItemShape(Shape):
    """Items are read as text whatever a column holds: lists and objects as the JSON that they are.

    Without `wanted` every column is read.
    """

    # Items are longer than votes; this keeps a chunk as small.
    chunk_rows = 2_000
    chunk_bytes = 8_000_000

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self._wanted = wanted

    def sort(self, names: Sequence[str]) -> Columns:
        problems = twice_in(names)
        if len(names) > MOST_COLUMNS:
            problems.append(f"the file has {len(names)} columns, more than {MOST_COLUMNS}")
        if problems:
            raise BrokenFile([Problem(0, text) for text in problems])
        known = tuple(name for name in names if name and self.is_read(name))
        return Columns(known, (), tuple(name for name in names if name not in known))

    def is_read(self, name: str) -> bool:
        return self._wanted is None or name in self._wanted

    def read_cell(self, name: str, value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        try:
            return json.dumps(value, ensure_ascii=False)
        except RecursionError as error:
            raise ValueError(f"{name} is nested too deeply") from error

    def wrong_type(self, name: str, found: pa.DataType) -> str:
        return f"{name} holds bytes, not text" if self._wanted is not None and is_binary(found) else ""

    def comparable(self, array: pa.Array) -> pa.Array:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if is_binary(array.type):
            return pa.nulls(len(array), pa.string())
        if pa.types.is_nested(array.type):
            texts = [
                None if value is None else json.dumps(value, ensure_ascii=False, default=str)
                for value in array.to_pylist()
            ]
            return pa.array(texts, pa.string())
        return array.cast(pa.string())


def is_binary(found: pa.DataType) -> bool:
    return bool(pa.types.is_binary(found) or pa.types.is_large_binary(found) or pa.types.is_fixed_size_binary(found))


def guess_meanings(names: Sequence[str]) -> dict[str, str]:
    """The likely meaning of columns, by column. Only a proposal: a person confirms it before anything is read."""
    plain = {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): name for name in reversed(names)}
    found: dict[str, str] = {}
    numbered = (*_numbered(RESPONSES, SIDES), *_numbered(MODELS, MODEL_SIDES), *_numbered(FILES, FILE_SIDES))
    for meaning, candidates in (*NAMES.items(), *numbered):
        column = next((plain[name] for name in candidates if name in plain and plain[name] not in found), None)
        if column is not None:
            found[column] = meaning
    flags = {name: FLAG for name in names if name.startswith(FLAG_PREFIX) and name not in found}
    return {**found, **flags}


def _numbered(meanings: Sequence[str], sides: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """response_1 may be called response_a, output 1 or chosen; the second of a pair rejected; a single one response."""
    listed = []
    for number, meaning in enumerate(meanings, start=1):
        marks = (str(number), chr(ord("a") + number - 1))
        names = [f"{side}_{mark}" for side in sides for mark in marks]
        names += [f"{side}{mark}" for side in sides for mark in marks]
        word = {1: "chosen", 2: "rejected"}.get(number) if sides is not FILE_SIDES else None
        if word:
            names += [word] if sides is SIDES else [f"{word}_model", f"model_{word}"]
        listed.append((meaning, (*names, *(sides if number == 1 else ()))))
    return listed
