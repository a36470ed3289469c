"""A ZIP of media, unpacked piece by piece within limits; what its directory says of sizes is not believed."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from foundation.media.check import BadMedia
from foundation.media.store import PIECE, media_name, write_pieces

ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")
# Files that systems put into archives by themselves.
LITTER = ("__MACOSX/",)
LITTER_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def is_archive(head: bytes) -> bool:
    return head.startswith(ZIP_START)


def unpack(archive: Path, name: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Each file under a name of our own, with its name in the archive less its folders. Raises BadMedia."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [each for each in opened.infolist() if not each.is_dir() and not _is_litter(each.filename)]
            _refuse_many(members, name)
            left = settings.MEDIA_UPLOAD_MAX_MB * 1_000_000
            for number, member in enumerate(members):
                path = folder / f"{archive.name}-{number}"
                left -= _unpack_one(opened, member, path, left, name)
                yield path, media_name(member.filename)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise BadMedia(name, "the ZIP is broken, encrypted, or packed in a way that is not read") from error


def _unpack_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, left: int, name: str) -> int:
    said = media_name(member.filename)
    if not said:
        raise BadMedia(name, "a file in it has no name")
    most = settings.MEDIA_FILE_MAX_MB * 1_000_000
    with opened.open(member) as source:
        size = write_pieces(path, iter(lambda: source.read(PIECE), b""), name=said, most=min(most, max(left, 0)))
    return size


def _refuse_many(members: list[zipfile.ZipInfo], name: str) -> None:
    most = settings.MEDIA_UPLOAD_MAX_FILES
    if not members:
        raise BadMedia(name, "there is no file in the ZIP")
    if len(members) > most:
        raise BadMedia(name, f"the ZIP has {len(members)} files, more than {most}")
    said = [media_name(each.filename) for each in members]
    twice = next((each for each in said if said.count(each) > 1), None) if len(set(said)) < len(said) else None
    if twice is not None:
        raise BadMedia(name, f"two files in it are called {twice}, in different folders")
    if sum(each.file_size for each in members) > settings.MEDIA_UPLOAD_MAX_MB * 1_000_000:
        raise BadMedia(name, f"unpacked it has more than {settings.MEDIA_UPLOAD_MAX_MB} MB")


def _is_litter(name: str) -> bool:
    return name.startswith(LITTER) or name.rsplit("/", 1)[-1] in LITTER_NAMES
