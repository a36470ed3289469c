"""What a file of media is, by its content and never by its name, and whether it can be shown.

Only formats that browsers show. A container is opened as what its first bytes say, with no other reader tried: some
of the library's readers follow addresses that a file names.
"""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from foundation.media.captions import CONTENT_TYPE, SUFFIX, check_captions, is_captions
from foundation.media.kinds import MediaKind
from foundation.media.picture import check_picture, is_picture
from foundation.media.player import check_container, container_of

LONGEST_HEAD = 4096


class BadMedia(Exception):
    """A file that is not taken, by the name that the person gave it."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{name}: {reason}")


@dataclass(frozen=True)
class CheckedMedia:
    """`suffix` goes with the content, whatever the file was called. Captions have no kind: they belong to a film."""

    kind: MediaKind | None
    content_type: str
    suffix: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


def check_media(path: Path, name: str) -> CheckedMedia:
    """Decodes pictures whole, and the beginning of sounds and films, whose packets are all read.

    A picture is written anew without what tells of people. Raises BadMedia.
    """
    size = path.stat().st_size
    if size == 0:
        raise BadMedia(name, "the file is empty")
    if size > settings.MEDIA_FILE_MAX_MB * 1_000_000:
        raise BadMedia(name, f"the file has more than {settings.MEDIA_FILE_MAX_MB} MB")
    with path.open("rb") as file:
        head = file.read(LONGEST_HEAD)
    try:
        if is_picture(head):
            picture = check_picture(path)
            return CheckedMedia(
                MediaKind.IMAGE, picture.content_type, picture.suffix, width=picture.width, height=picture.height
            )
        if is_captions(head):
            check_captions(path)
            return CheckedMedia(None, CONTENT_TYPE, SUFFIX)
        container = container_of(head)
        if container is None:
            raise ValueError(_unknown(head))
        played = check_container(path, container)
    except ValueError as error:
        raise BadMedia(name, str(error)) from error
    kind = MediaKind.VIDEO if played.width else MediaKind.AUDIO
    return CheckedMedia(kind, played.content_type, played.suffix, played.width, played.height, played.seconds)


def _unknown(head: bytes) -> str:
    if b"<svg" in head.lower():
        return "SVG is not taken: it can hold scripts. Save it as PNG"
    return "its content is no picture, sound or film that browsers show"
