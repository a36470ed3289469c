"""A file as a worker keeps it."""

from collections.abc import Iterator
from contextlib import contextmanager

from inference_workers.tasks.files import FileLook
from inference_workers.use_cases.finish_completion import WrittenFile


@contextmanager
def kept_file(content: bytes, output: str, *, most: int, uniform: bool = False) -> Iterator[WrittenFile]:
    """Raises FileRefused."""
    look = FileLook(content, output, most=most, uniform=uniform)
    try:
        with look.kept() as file:
            yield file
    finally:
        look.drop()
