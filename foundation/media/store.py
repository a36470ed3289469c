"""Files of media on disk: under the media root, by the digest of their bytes, so that one content is one file."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from foundation.media.check import BadMedia, CheckedMedia, check_media
from foundation.text import clean_text

# Held while files are put into place, and while those that nobody names are removed.
FILES_LOCK = "media files"
FOLDER, UNFINISHED = "files", "unfinished-"
LONGEST_NAME = 255
PIECE = 1 << 20


@dataclass(frozen=True)
class StagedMedia:
    """A file that was checked and lies where nobody reads yet. `stored` is its place under the media root."""

    name: str
    path: Path
    sha256: str
    size: int
    checked: CheckedMedia

    @property
    def stored(self) -> str:
        return f"{FOLDER}/{self.sha256[:2]}/{self.sha256}{self.checked.suffix}"


def files_root() -> Path:
    return Path(settings.MEDIA_ROOT) / FOLDER


def media_path(stored: str) -> Path:
    return Path(settings.MEDIA_ROOT) / stored


def media_name(name: str) -> str:
    """What the person called it, less its folders."""
    return clean_text(name).replace("\\", "/").replace("\n", " ").rsplit("/", 1)[-1].strip()[:LONGEST_NAME]


@contextmanager
def staging_folder() -> Iterator[Path]:
    """On the disk where the files will lie, so that they are moved there and never copied."""
    files_root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=files_root()) as folder:
        yield Path(folder)


def write_pieces(path: Path, content: Iterable[bytes], *, name: str, most: int) -> int:
    """The bytes written. Raises BadMedia at the first piece beyond `most`."""
    size = 0
    with path.open("xb") as file:
        for piece in content:
            size += len(piece)
            if size > most:
                raise BadMedia(name, f"the file has more than {settings.MEDIA_FILE_MAX_MB} MB")
            file.write(piece)
    return size


def staged(path: Path, name: str) -> StagedMedia:
    """Check a file in the staging folder. Its digest is of what is kept, which for pictures is not what came."""
    checked = check_media(path, name)
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return StagedMedia(name, path, digest.hexdigest(), path.stat().st_size, checked)


def keep(media: StagedMedia) -> None:
    """Put it where it is read. The same content there already is the same file, with a new date for the sweeper."""
    place = media_path(media.stored)
    place.parent.mkdir(parents=True, exist_ok=True)
    os.utime(media.path)
    media.path.chmod(0o644)
    media.path.replace(place)
