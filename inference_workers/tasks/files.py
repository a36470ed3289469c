"""A file that an endpoint answered with: judged by its content, freed of what it tells, and put where files lie."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foundation.database import advisory_lock
from foundation.media.check import BadMedia
from foundation.media.kinds import MediaKind
from foundation.media.retag import write_without_tags
from foundation.media.store import FILES_LOCK, StagedMedia, keep, staged, staging_folder, write_pieces
from foundation.media.uniform import write_uniform
from inference_workers.errors import InferenceError
from inference_workers.use_cases.finish_completion import WrittenFile

# Files have no name of their own here: one from outside could name the model.
NAME = "the file"


class FileRefused(InferenceError):
    """The file is not what was asked for; the message says why."""


@contextmanager
def kept_file(content: bytes, output: str, *, most: int, uniform: bool = False) -> Iterator[WrittenFile]:
    """Checked and stored, and nobody removes it within the block, in which a completion comes to name it; else a
    sweeper does. With `uniform` all models' files are made alike. Raises FileRefused.
    """
    with staging_folder() as folder:
        media = _checked(folder / "0", content, output, most=most, uniform=uniform)
        with advisory_lock(FILES_LOCK):
            keep(media)
            yield _written(media)


def _checked(path: Path, content: bytes, output: str, *, most: int, uniform: bool) -> StagedMedia:
    try:
        write_pieces(path, [content], name=NAME, most=most)
        media = staged(path, NAME)
        if media.checked.kind != output:
            raise FileRefused(f"{media.checked.content_type} came where {output} was asked for")
        if not uniform and output == MediaKind.IMAGE:
            return media
        if uniform:
            write_uniform(path, MediaKind(output))
        else:
            write_without_tags(path)
        return staged(path, NAME)
    except BadMedia as bad:
        raise FileRefused(bad.reason) from bad
    except ValueError as error:
        raise FileRefused(str(error)) from error


def _written(media: StagedMedia) -> WrittenFile:
    checked = media.checked
    return WrittenFile(
        kind=str(checked.kind),
        sha256=media.sha256,
        stored=media.stored,
        content_type=checked.content_type,
        size=media.size,
        width=checked.width,
        height=checked.height,
        seconds=checked.seconds,
    )
