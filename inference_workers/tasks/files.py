"""A file that an endpoint answered with: judged by its content, freed of what it tells, and put where files lie."""

from foundation.database import advisory_lock
from foundation.media.check import BadMedia
from foundation.media.kinds import MediaKind
from foundation.media.retag import write_without_tags
from foundation.media.store import FILES_LOCK, StagedMedia, keep, staged, staging_folder, write_pieces
from inference_workers.errors import InferenceError
from inference_workers.use_cases.finish_completion import WrittenFile

# Files have no name of their own here: one from outside could name the model.
NAME = "the file"


class FileRefused(InferenceError):
    """The file is not what was asked for; the message says why."""


def kept_file(content: bytes, output: str, *, most: int) -> WrittenFile:
    """Checked and stored; a sweeper removes it again where no completion comes to name it. Raises FileRefused."""
    with staging_folder() as folder:
        path = folder / "0"
        try:
            write_pieces(path, [content], name=NAME, most=most)
            media = staged(path, NAME)
            if media.checked.kind in {MediaKind.AUDIO, MediaKind.VIDEO}:
                write_without_tags(path)
                media = staged(path, NAME)
        except BadMedia as bad:
            raise FileRefused(bad.reason) from bad
        except ValueError as error:
            raise FileRefused(str(error)) from error
        if media.checked.kind != output:
            raise FileRefused(f"{media.checked.content_type} came where {output} was asked for")
        with advisory_lock(FILES_LOCK):
            keep(media)
        return _written(media)


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
