"""Which columns a file of votes may have, and the one shape that every format is turned into."""

from collections.abc import Sequence

import pyarrow as pa

from annotation.enums import Preference
from annotation.imports.problems import BrokenFile, Problem, show
from annotation.imports.table_file import Columns, twice_in

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
CHUNK_ROWS = 20_000

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


def sort_columns(names: Sequence[str]) -> Columns:
    """Refuses a header with a name twice, without a required column, or with a flag that has no usable name."""
    missing = [name for name in REQUIRED if name not in names]
    problems = twice_in(names)
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
