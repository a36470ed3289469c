"""Which columns a file of votes may have, and the one shape that every format is turned into."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from annotation.enums import Preference
from annotation.imports.problems import BrokenFile, Problem, show
from foundation.text import clean_text

REQUIRED = ("a", "b", "outcome")
OPTIONAL = ("judge", "prompt", "category", "language", "date", "strength")
FLAG_PREFIX = "cat_"
# What else the sets that people publish call the same outcomes.
OUTCOMES = {
    **{value: value for value in Preference.values},
    "model_a": Preference.A.value,
    "model_b": Preference.B.value,
    "bothbad": Preference.BOTH_BAD.value,
    "tie (bothbad)": Preference.BOTH_BAD.value,
}
LONGEST = {"a": 200, "b": 200, "judge": 1000, "prompt": 200, "category": 120, "language": 12}
LONGEST_FLAG = 80
# No vote takes so many bytes; a file without line ends does.
LONGEST_LINE = 1_000_000
CHUNK_ROWS = 20_000
CHUNK_BYTES = 32_000_000

OUTCOME_CODES = tuple(Preference.values)
NOBODY = -1
VOTES = pa.schema(
    [
        ("a", pa.int32()),
        ("b", pa.int32()),
        ("outcome", pa.int8()),
        # Signed, plus means that a is better; null where the file does not say.
        ("strength", pa.float64()),
        ("judge", pa.int32()),
        ("prompt", pa.string()),
        ("category", pa.string()),
        ("language", pa.string()),
        # PostgreSQL's literal of an array of text.
        ("flags", pa.string()),
        ("judged_at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True)
class Chunk:
    """Some of a file's votes as they were read: known columns only, each with its line or row."""

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


def column_names(header: Sequence[str]) -> list[str]:
    return [clean_text(name).strip() for name in header]


def sort_columns(names: Sequence[str]) -> Columns:
    """Refuses a header with a name twice, without a required column, or with a flag that has no usable name."""
    twice = sorted({name for name in names if name and names.count(name) > 1})
    missing = [name for name in REQUIRED if name not in names]
    problems = []
    if twice:
        problems.append(f"the header has a column twice: {', '.join(show(name) for name in twice)}")
    if missing:
        problems.append(f"the header has no column {', '.join(missing)}; it has {_listed(names)}")
    flags = tuple(name for name in names if name.startswith(FLAG_PREFIX))
    problems += [f"the column {show(name)} names no category" for name in flags if not flag_name(name)]
    problems += [f"the column {show(name)} is too long" for name in flags if len(flag_name(name)) > LONGEST_FLAG]
    if problems:
        raise BrokenFile([Problem(0, text) for text in problems])
    known = tuple(name for name in (*REQUIRED, *OPTIONAL) if name in names)
    ignored = tuple(dict.fromkeys(name for name in names if name not in {*known, *flags}))
    return Columns(known, flags, ignored)


def flag_name(column: str) -> str:
    return column.removeprefix(FLAG_PREFIX).strip()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(show(name) for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown or "none"
