"""Where uploaded files lie until they have been read, and how much of them is taken."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from annotation.errors import AnnotationError
from annotation.imports.table_file import EXTENSIONS
from annotation.models import ItemUpload
from foundation.text import clean_text

LONGEST_NAME = 255


class UploadTooLarge(AnnotationError):
    """The file has more bytes than ITEM_UPLOAD_MAX_MB allows. Nothing of it is kept."""


@dataclass(frozen=True)
class StoredFile:
    path: Path
    sha256: str
    size: int


def uploads_root() -> Path:
    return Path(settings.DATA_DIR) / "uploads"


def upload_path(upload: ItemUpload) -> Path:
    return uploads_root() / upload.stored


def file_name(name: str) -> str:
    """What the person called it, as a title and never as a path."""
    return clean_text(name).replace("\\", "/").rsplit("/", 1)[-1].strip()[:LONGEST_NAME] or "items"


def store_file(name: str, content: Iterable[bytes]) -> StoredFile:
    """Write what comes, piece by piece, under a name of our own. Raises UploadTooLarge, and then keeps nothing."""
    suffix = Path(file_name(name)).suffix.lower()
    path = uploads_root() / f"{uuid4().hex}{suffix if suffix in EXTENSIONS else ''}"
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = sha256(), 0
    try:
        with path.open("xb") as file:
            for piece in content:
                size += len(piece)
                if size > settings.ITEM_UPLOAD_MAX_MB * 1_000_000:
                    raise UploadTooLarge(f"the file has more than {settings.ITEM_UPLOAD_MAX_MB} MB")
                digest.update(piece)
                file.write(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return StoredFile(path, digest.hexdigest(), size)
