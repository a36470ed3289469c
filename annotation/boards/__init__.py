"""Standings of a slice of the log: what a board's snapshot holds, and nothing that only a page needs."""

from annotation.boards.canonical import canonical_json, digest_of, plain
from annotation.boards.frozen import named_as_now
from annotation.boards.names import contestant_names
from annotation.boards.slices import UnknownSlice, check_slice, sliced
from annotation.boards.standings import CODE_VERSION, RECOMPUTED, compute_standings
from annotation.ratings import merged_contestants

__all__ = [
    "CODE_VERSION",
    "RECOMPUTED",
    "UnknownSlice",
    "canonical_json",
    "check_slice",
    "compute_standings",
    "contestant_names",
    "digest_of",
    "merged_contestants",
    "named_as_now",
    "plain",
    "sliced",
]
