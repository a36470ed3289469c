"""Files of one view: Parquet and JSON lines, a file for each split, written as the rows come."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from annotation.datasets.columns import Page
from annotation.datasets.splits import SPLITS

BLOCK = 1 << 20


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
    """Writes one view's pages into a folder. A split without rows has no file: loaders refuse an empty one."""

    def __init__(self, folder: Path, view: str, schema: pa.Schema) -> None:
        self._folder = folder / view
        self._folder.mkdir(parents=True)
        self._view = view
        self._schema = schema
        self._parquet: dict[str, pq.ParquetWriter] = {}
        self._lines: dict[str, BinaryIO] = {}
        self.rows: Counter[str] = Counter()

    def __enter__(self) -> "Shards":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (*self._parquet.values(), *self._lines.values()):
            file.close()

    def write(self, page: Page) -> None:
        splits = page.values("split")
        for split in SPLITS:
            rows = np.flatnonzero(splits == split)
            if len(rows):
                self._write(split, page.take(rows))

    def files(self) -> list[File]:
        """After the shards are closed."""
        return [
            describe(self._folder / f"{split}.{ending}", self._view, split, self.rows[split])
            for split in SPLITS
            for ending in ("parquet", "jsonl")
            if split in self._parquet
        ]

    def _write(self, split: str, page: Page) -> None:
        if split not in self._parquet:
            self._parquet[split] = pq.ParquetWriter(self._folder / f"{split}.parquet", self._schema, compression="zstd")
            self._lines[split] = (self._folder / f"{split}.jsonl").open("wb")
        self._parquet[split].write_batch(page.batch())
        self._lines[split].write(page.lines())
        self.rows[split] += len(page)


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
