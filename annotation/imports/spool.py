"""The votes of a checked file, kept on disk between being checked and being written."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from annotation.imports.formats import open_table
from annotation.imports.normalise import Normaliser
from annotation.imports.problems import Problems, show
from annotation.imports.schema import OUTCOME_CODES, VOTES
from annotation.imports.table_file import Columns
from annotation.imports.vote_shape import VOTE_SHAPE

ReportFraction = Callable[[float], None]
BLOCK = 1 << 20


@dataclass(frozen=True)
class Spooled:
    """A whole file without a problem in it. `contestants` and `judges` stand in the order of their codes."""

    path: Path
    sha256: str
    columns: Columns
    votes: Normaliser
    batches_path: Path

    @property
    def rows(self) -> int:
        return self.votes.rows

    @property
    def outcomes(self) -> dict[str, int]:
        return {name: int(count) for name, count in zip(OUTCOME_CODES, self.votes.outcomes, strict=True)}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches of `schema.VOTES` in the file's order."""
        # Not memory-mapped: mapped pages count as this process's memory.
        with pa.OSFile(str(self.batches_path), "rb") as source, pa.ipc.open_stream(source) as reader:
            yield from reader


@contextmanager
def spool_votes(path: Path, report: ReportFraction) -> Iterator[Spooled]:
    """Check a whole file before anything is written. Raises BrokenFile with everything that is wrong with it.

    What is written afterwards is what was checked, even where the file changes meanwhile.
    """
    digest = file_digest(path)
    file = open_table(path, VOTE_SHAPE)
    problems = Problems(place=file.place)
    votes = Normaliser(problems)
    with tempfile.TemporaryDirectory(prefix="cardinal-votes-") as folder:
        batches_path = Path(folder) / "votes.arrow"
        with pa.OSFile(str(batches_path), "wb") as sink, pa.ipc.new_stream(sink, VOTES) as writer:
            for chunk in file.chunks(problems):
                writer.write_batch(votes.normalise(chunk))
                report(file.fraction)
        problems.raise_if_any()
        if votes.rows == 0:
            raise problems.refuse("the file has a header and no votes")
        if len(votes.contestants) == 1:
            raise problems.refuse(f"every vote compares {show(next(iter(votes.contestants)))} with itself")
        yield Spooled(path, digest, file.columns, votes, batches_path)


def file_digest(path: Path) -> str:
    whole = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            whole.update(block)
    return whole.hexdigest()
