"""Files of one view: Parquet and JSON lines, a file for each split, written as the rows come."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.datasets.splits import SPLITS

BLOCK = 1 << 20
ROW_GROUP = 4000
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=datetime.isoformat).encode


@dataclass(frozen=True)
class File:
    """`digest` is the SHA-256 of the bytes; `split` and `rows` are those of a shard, empty and 0 of other files."""

    name: str
    bytes: int
    digest: str
    view: str = ""
    split: str = ""
    rows: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Shards:
    """Writes one view's rows into a folder. A split without rows has no file: loaders refuse an empty one."""

    def __init__(self, folder: Path, view: str, schema: pa.Schema) -> None:
        self._folder = folder / view
        self._folder.mkdir(parents=True)
        self._view = view
        self._schema = schema
        self._parquet: dict[str, pq.ParquetWriter] = {}
        self._lines: dict[str, Any] = {}
        self._waiting: dict[str, list[dict[str, Any]]] = {split: [] for split in SPLITS}
        self.rows: Counter[str] = Counter()

    def __enter__(self) -> "Shards":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for split in SPLITS:
                if self._waiting[split]:
                    self._flush(split)
        for file in (*self._parquet.values(), *self._lines.values()):
            file.close()

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            waiting = self._waiting[row["split"]]
            waiting.append(dict(row))
            if len(waiting) == ROW_GROUP:
                self._flush(row["split"])

    def files(self) -> list[File]:
        """After the shards are closed."""
        return [
            describe(self._folder / f"{split}.{ending}", self._view, split, self.rows[split])
            for split in SPLITS
            for ending in ("parquet", "jsonl")
            if split in self._parquet
        ]

    def _flush(self, split: str) -> None:
        rows, self._waiting[split] = self._waiting[split], []
        if split not in self._parquet:
            self._parquet[split] = pq.ParquetWriter(self._folder / f"{split}.parquet", self._schema, compression="zstd")
            self._lines[split] = (self._folder / f"{split}.jsonl").open("w", encoding="utf-8", newline="\n")
        table = pa.Table.from_pylist(rows, schema=self._schema)
        self._parquet[split].write_table(table)
        # Out of the table again, so that both files say the same to the last digit and to the last null.
        self._lines[split].writelines(f"{_encode(row)}\n" for row in table.to_pylist())
        self.rows[split] += len(rows)


def describe(path: Path, view: str = "", split: str = "", rows: int = 0) -> File:
    whole = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            whole.update(block)
    name = f"{view}/{path.name}" if view else path.name
    return File(name, path.stat().st_size, whole.hexdigest(), view, split, rows)


def rows_digest(files: Sequence[File]) -> str:
    """SHA-256 over the rows of all views: over the digests of their JSON lines, which are canonical."""
    lines = [f"{file.name} {file.digest}\n" for file in sorted(files, key=lambda f: f.name) if ".jsonl" in file.name]
    return sha256("".join(lines).encode()).hexdigest()
