"""A file that an endpoint answered with: judged by its content, freed of what it tells, and put where files lie."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from foundation.database import advisory_lock
from foundation.media.check import BadMedia
from foundation.media.kinds import MediaKind
from foundation.media.retag import write_without_tags
from foundation.media.store import FILES_LOCK, StagedMedia, keep, media_path, staged, staging_folder, write_pieces
from foundation.media.uniform import write_uniform
from inference_workers.errors import InferenceError
from inference_workers.use_cases.finish_completion import WrittenFile

# Files have no name of their own here: one from outside could name the model.
NAME = "the file"
# At once in a process; a large picture takes some hundred MB of memory while it is made anew.
LOOKS = threading.BoundedSemaphore(2)


class FileRefused(InferenceError):
    """The file is not what was asked for; the message says why."""


class FileLook:
    """A file on its way to where files lie. It is looked at, and with `uniform` made like all models' files, in a
    thread of its own: a large picture takes seconds, in which whoever waits for other answers would get no word of
    them. It needs no database; who asked for it does, for the rest."""

    def __init__(self, content: bytes, output: str, *, most: int, uniform: bool = False) -> None:
        self._given = (content, output, most, uniform)
        self._folder = ExitStack()
        self._media: StagedMedia | None = None
        self._fault: BaseException | None = None
        self._over = threading.Event()
        self._is_dropped = False
        threading.Thread(target=self._run, name="file-look", daemon=True).start()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @contextmanager
    def kept(self) -> Iterator[WrittenFile]:
        """Wait for the end of it; the file is in its place, and nobody removes it within the block, in which a
        completion comes to name it; else a sweeper does. Raises FileRefused, and whatever broke the look."""
        self._over.wait()
        if self._fault is not None:
            raise self._fault
        assert self._media is not None
        with advisory_lock(FILES_LOCK):
            # It was put there before where the database was gone a moment ago.
            if self._media.path.exists():
                keep(self._media)
            elif not media_path(self._media.stored).exists():
                raise FileRefused("the file was removed before its completion could name it")
            yield _written(self._media)

    def drop(self) -> None:
        """Nobody needs what is left of it."""
        self._is_dropped = True
        if self.is_over:
            self._folder.close()

    def _run(self) -> None:
        content, output, most, uniform = self._given
        try:
            with LOOKS:
                folder = self._folder.enter_context(staging_folder())
                self._media = _checked(folder / "0", content, output, most=most, uniform=uniform)
        except BaseException as fault:  # noqa: BLE001 - a thread has no caller to raise to
            self._fault = fault
        finally:
            self._over.set()
            if self._is_dropped:
                self._folder.close()


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
