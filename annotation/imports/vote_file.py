"""A file of votes, opened: which format it is, and what its readers have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from annotation.imports.problems import BrokenFile, Problem, Problems
from annotation.imports.schema import LONGEST_LINE, Chunk, Columns

HEAD = 4096
EXTENSIONS = {
    ".csv": "CSV",
    ".jsonl": "JSONL",
    ".ndjson": "JSONL",
    ".parquet": "Parquet",
    ".pq": "Parquet",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class VoteFile(ABC):
    """One reader. `chunks` may be read once, in constant memory; `columns` are complete when they have been."""

    # What its numbers count.
    place = "line"

    @property
    @abstractmethod
    def columns(self) -> Columns: ...

    @abstractmethod
    def chunks(self, problems: Problems) -> Iterator[Chunk]:
        """The votes in order. Lines that cannot be read are named in `problems` and left out of the chunks."""

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
