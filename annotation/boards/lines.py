"""Standings as lines of fixed columns and types, one for each contestant, for files that are read by programs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.boards.canonical import canonical_json
from annotation.models import LeaderboardSnapshot

Entry = Mapping[str, Any]
Line = dict[str, Any]


def _of(name: str) -> Callable[[Entry], Any]:
    return lambda entry: entry[name]


def _in(block: str, name: str) -> Callable[[Entry], Any]:
    """Of a block that not every entry has."""
    return lambda entry: (entry[block] or {}).get(name)


# What each contestant's line holds, by the names that the table of the board's page has. A program that reads the files
# goes by names and types, so that columns are added at the end and never change their type.
ENTRY: tuple[tuple[str, pa.DataType, Callable[[Entry], Any]], ...] = (
    ("contestant", pa.int64(), _of("contestant")),
    ("model", pa.string(), _of("model")),
    *((name, pa.int32(), _of(name)) for name in ("group", "rank", "rank_low", "rank_high")),
    ("rating", pa.float64(), _of("rating")),
    *((f"rating_{name}", pa.float64(), _of(name)) for name in ("lower", "upper")),
    ("provisional", pa.bool_(), _of("provisional")),
    ("votes", pa.int64(), _of("votes")),
    ("wins", pa.float64(), _of("wins")),
    ("win_rate", pa.float64(), _of("win_rate")),
    ("judgments", pa.int64(), _of("judgments")),
    ("simulated_share", pa.float64(), _of("simulated_share")),
    ("acceptable", pa.float64(), _in("acceptable", "share")),
    *((f"acceptable_{name}", pa.float64(), _in("acceptable", name)) for name in ("lower", "upper")),
    ("acceptable_of", pa.int64(), _in("acceptable", "judged")),
    ("worth", pa.float64(), _in("worth", "value")),
    *((f"worth_{name}", pa.float64(), _in("worth", name)) for name in ("lower", "upper")),
    ("worth_answers", pa.int64(), _in("worth", "answers")),
)
SNAPSHOT: tuple[tuple[str, pa.DataType, Callable[[LeaderboardSnapshot], Any]], ...] = (
    ("day", pa.date32(), lambda snapshot: snapshot.created_at.astimezone(UTC).date()),
    ("number", pa.int64(), lambda snapshot: snapshot.number),
    ("computed_at", pa.timestamp("us", tz="UTC"), lambda snapshot: snapshot.created_at),
    ("method", pa.string(), lambda snapshot: snapshot.method),
    ("code_version", pa.string(), lambda snapshot: snapshot.code_version),
)
ENTRY_SCHEMA = pa.schema([(name, kind) for name, kind, _get in ENTRY])
HISTORY_SCHEMA = pa.schema([(name, kind) for name, kind, _get in (*SNAPSHOT, *ENTRY)])


def entry_lines(snapshot: LeaderboardSnapshot) -> list[Line]:
    """In the board's order."""
    return [{name: get(entry) for name, _kind, get in ENTRY} for entry in snapshot.standings["entries"]]


def history_lines(snapshots: Iterable[LeaderboardSnapshot]) -> Iterator[list[Line]]:
    """The lines of each snapshot, with which one it is."""
    for snapshot in snapshots:
        said = {name: get(snapshot) for name, _kind, get in SNAPSHOT}
        yield [said | line for line in entry_lines(snapshot)]


def meta_of(snapshot: LeaderboardSnapshot) -> dict[str, str]:
    """What a file says of the snapshot that it holds, each as text."""
    return {
        "board": snapshot.board.slug,
        "name": snapshot.board.name,
        "number": str(snapshot.number),
        "computed_at": snapshot.created_at.astimezone(UTC).isoformat(),
        "method": snapshot.method,
        "code_version": snapshot.code_version,
        "filter": canonical_json(snapshot.slice),
        "last_sequence": str(snapshot.last_sequence),
        "retired_sources": canonical_json(snapshot.retired_sources),
        "judgments": str(snapshot.judgments),
        "digest": snapshot.digest,
        "renamed": canonical_json(snapshot.is_renamed),
    }


def parquet_of(snapshot: LeaderboardSnapshot) -> bytes:
    """The same bytes for the same snapshot and names."""
    schema = ENTRY_SCHEMA.with_metadata({f"cardinal.{name}": text for name, text in meta_of(snapshot).items()})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(entry_lines(snapshot), schema=schema), sink)
    return bytes(sink.getvalue())
