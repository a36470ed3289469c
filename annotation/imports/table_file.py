"""A file of rows, opened: which format it is, what its readers have in common, and what they are told to read."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from annotation.imports.problems import BrokenFile, Problem, Problems, show
from foundation.text import clean_text

HEAD = 4096
EXTENSIONS = {
    ".csv": "CSV",
    # Separated by tabs.
    ".tsv": "CSV",
    ".jsonl": "JSONL",
    ".ndjson": "JSONL",
    ".parquet": "Parquet",
    ".pq": "Parquet",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# No row takes so many bytes; a file without line ends does.
LONGEST_LINE = 1_000_000


@dataclass(frozen=True)
class Chunk:
    """Some of a file's rows as they were read: known columns only, each with its line or row."""

    columns: dict[str, pa.Array]
    lines: np.ndarray

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True)
class Columns:
    """A file's columns, sorted into what is read and what is not."""

    known: tuple[str, ...]
    flags: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def read(self) -> tuple[str, ...]:
        return self.known + self.flags


class Shape(ABC):
    """What readers are told of the rows they read.

    A chunk ends at `chunk_rows` rows, or sooner at `chunk_bytes` of the file. Each of `required` is a column, whether a
    line of JSON has it or not.
    """

    required: tuple[str, ...] = ()
    # Columns that every chunk of JSON lines has, given or not.
    always: tuple[str, ...] = ()
    chunk_rows = 20_000
    chunk_bytes = 32_000_000

    @abstractmethod
    def sort(self, names: Sequence[str]) -> Columns:
        """Raises BrokenFile where the header cannot be meant."""

    @abstractmethod
    def is_read(self, name: str) -> bool: ...

    def wrong_name(self, name: str) -> str:
        """What is wrong with a column's name, or nothing."""
        return ""

    @abstractmethod
    def read_cell(self, name: str, value: Any) -> str | None:
        """A JSON value as text, so that every format obeys the same rules. Raises ValueError."""

    @abstractmethod
    def wrong_type(self, name: str, found: pa.DataType) -> str:
        """What is wrong with the type of a Parquet column, or nothing."""

    @abstractmethod
    def comparable(self, array: pa.Array) -> pa.Array:
        """A Parquet column as the rows' checks take it."""


def column_names(header: Sequence[str]) -> list[str]:
    return [clean_text(name).strip() for name in header]


def twice_in(names: Sequence[str]) -> list[str]:
    """What is wrong with a header that has a name twice."""
    twice = sorted({name for name in names if name and names.count(name) > 1})
    return [f"the header has a column twice: {', '.join(show(name) for name in twice)}"] if twice else []


class TableFile(ABC):
    """One reader. `chunks` may be read once, in constant memory; `columns` are complete when they have been."""

    # What its numbers count.
    place = "line"

    @property
    @abstractmethod
    def columns(self) -> Columns: ...

    @abstractmethod
    def chunks(self, problems: Problems) -> Iterator[Chunk]:
        """The rows in order. Lines that cannot be read are named in `problems` and left out of the chunks."""

    @property
    @abstractmethod
    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1."""


def format_of(path: Path) -> str:
    """CSV, JSONL or Parquet, by the file's name and by what it holds. Refuses where the two contradict each other."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.strip():
        raise refusal("the file is empty")
    _refuse_encoding(head)
    found = _format_by_content(head)
    named = EXTENSIONS.get(path.suffix.lower())
    if named is not None and found is not None and named != found:
        raise refusal(f"the file is named {path.suffix} but holds {found}: name it as what it is")
    if named == "Parquet" and found is None:
        raise refusal(f"the file is named {path.suffix} but does not begin as a Parquet file does")
    return found or named or "CSV"


def refusal(text: str) -> BrokenFile:
    return BrokenFile([Problem(0, text)])


def _refuse_encoding(head: bytes) -> None:
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise refusal("the file is encoded in UTF-32: save it as UTF-8")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _every_second_is_nul(head):
        raise refusal("the file is encoded in UTF-16: save it as UTF-8")
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")):
        raise refusal("the file is compressed, or a workbook: unpack it, or save it as CSV, JSONL or Parquet")


def _every_second_is_nul(head: bytes) -> bool:
    """UTF-16 without a mark, for text that is mostly Latin."""
    return len(head) >= 8 and max(head[0::2].count(0), head[1::2].count(0)) > 0.4 * len(head[0::2])


def _format_by_content(head: bytes) -> str | None:
    if head.startswith(b"PAR1"):
        return "Parquet"
    first = head.removeprefix(BYTE_ORDER_MARK).lstrip()[:1]
    if first == b"[":
        raise refusal("the file holds one JSON array: write one object per line instead")
    return "JSONL" if first == b"{" else None


class Lines:
    """The decoded lines of a UTF-8 file, numbered from 1. What is not UTF-8 is named and replaced."""

    def __init__(self, file: BinaryIO, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self.number = 0
        self.bytes_read = 0

    def __iter__(self) -> Iterator[str]:
        while raw := self._file.readline(LONGEST_LINE + 1):
            self.number += 1
            self.bytes_read += len(raw)
            if len(raw) > LONGEST_LINE:
                self._problems.add(self.number, f"more than {LONGEST_LINE} bytes without a line end")
                return
            if self.number == 1:
                raw = raw.removeprefix(BYTE_ORDER_MARK)
            try:
                yield raw.decode()
            except UnicodeDecodeError as error:
                self._problems.add(self.number, f"not UTF-8 at byte {error.start + 1} of the line")
                yield raw.decode(errors="replace")
