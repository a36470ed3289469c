from collections.abc import Callable
from pathlib import Path

from annotation.imports.csv_votes import CSVVotes
from annotation.imports.jsonl_votes import JSONLVotes
from annotation.imports.parquet_votes import ParquetVotes
from annotation.imports.vote_file import VoteFile, format_of

READERS: dict[str, Callable[[Path], VoteFile]] = {"CSV": CSVVotes, "JSONL": JSONLVotes, "Parquet": ParquetVotes}


def open_votes(path: Path) -> VoteFile:
    """The reader of a file. Raises BrokenFile where the file as a whole, or its header, cannot be read."""
    return READERS[format_of(path)](path)
