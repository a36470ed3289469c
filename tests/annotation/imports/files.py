"""Files of votes for tests, and what the import reads out of them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.imports.problems import BrokenFile
from annotation.imports.schema import NOBODY, OUTCOME_CODES
from annotation.imports.spool import spool_votes


def write(folder: Path, text: str | bytes, name: str = "votes.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def write_parquet(folder: Path, name: str = "votes.parquet", **columns: object) -> Path:
    path = folder / name
    arrays = {key: value if isinstance(value, pa.Array) else pa.array(value) for key, value in columns.items()}
    pq.write_table(pa.table(arrays), path)
    return path


def read(path: Path) -> list[dict[str, object]]:
    """Every vote with names in place of codes; what is empty is left out."""
    with spool_votes(path, lambda done: None) as spooled:
        names = list(spooled.votes.contestants)
        judges = list(spooled.votes.judges)
        votes = [row for batch in spooled.batches() for row in batch.to_pylist()]
    for vote in votes:
        vote["a"], vote["b"] = names[vote["a"]], names[vote["b"]]
        vote["outcome"] = OUTCOME_CODES[vote["outcome"]]
        vote["judge"] = None if vote["judge"] == NOBODY else judges[vote["judge"]]
        vote["flags"] = None if vote["flags"] == "{}" else vote["flags"]
    return [{key: value for key, value in vote.items() if value is not None} for vote in votes]


def problems_of(path: Path) -> str:
    """The refusal's whole text; the file must be refused."""
    try:
        with spool_votes(path, lambda done: None):
            pass
    except BrokenFile as error:
        return str(error)
    raise AssertionError(f"{path.name} was not refused")
