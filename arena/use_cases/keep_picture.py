from hashlib import sha256

from accounts.files import write_personal_file
from accounts.models import Person
from arena.errors import ArenaError
from foundation.media.anew import NewPicture

Message = dict[str, str]


class NoPictures(ArenaError):
    """The arena takes no pictures, or this battle does not: not all models that it could have drawn take them."""


def told_of(picture: NewPicture | None) -> dict[str, str]:
    """What of a request may differ under one key by its picture."""
    return {} if picture is None else {"picture": sha256(picture.content).hexdigest()}


def said_by(person: Person, text: str, picture: NewPicture | None, *, taken: bool) -> Message:
    """What a visitor says in one turn, in the caller's transaction; its picture is kept under their key. Raises
    NoPictures where none is taken."""
    said = {"role": "user", "content": text}
    if picture is None:
        return said
    if not taken:
        raise NoPictures("no picture is taken here")
    size = {"width": picture.width, "height": picture.height}
    kept = write_personal_file(person=person, content=picture.content, content_type=picture.content_type, **size)
    return {**said, "picture": str(kept.pk)}
