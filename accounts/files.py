"""Seal and read files under their owner's key. An erased person's files read as None."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from accounts.errors import PersonErased
from accounts.models import Person, PersonalFile
from accounts.texts import key_of
from foundation.encryption import seal, unseal


@dataclass(frozen=True)
class OpenFile:
    content: bytes
    content_type: str


def write_personal_file(
    *, person: Person, content: bytes, content_type: str, width: int | None = None, height: int | None = None
) -> PersonalFile:
    """Store a file under the person's key, in the caller's transaction. Raises PersonErased when that key is gone.

    It waits for an erasure in hand, and an erasure for it: none comes between, and leaves it full.
    """
    owner = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    context, key = key_of(owner)
    file = PersonalFile(person=owner, content_type=content_type, size=len(content), width=width, height=height)
    file.sealed = seal(content, key=key, context=_context(context, file.pk))
    file.save(force_insert=True)
    return file


def remove_personal_file(file_id: UUID) -> None:
    """What was kept for a moment, in the caller's transaction. Nothing where it is gone."""
    PersonalFile.objects.filter(pk=file_id).delete()


def read_personal_files(ids: Iterable[UUID]) -> dict[UUID, OpenFile | None]:
    """Files by id; None where the owner was erased. Of an unknown id nothing."""
    found: dict[UUID, OpenFile | None] = {}
    for file in PersonalFile.objects.select_related("person").filter(pk__in=set(ids)):
        try:
            context, key = key_of(file.person)
        except PersonErased:
            found[file.pk] = None
            continue
        content = unseal(bytes(file.sealed), key=key, context=_context(context, file.pk))
        found[file.pk] = OpenFile(content, file.content_type)
    return found


def read_personal_file(file_id: UUID) -> OpenFile | None:
    """None for one that is not there as well."""
    return read_personal_files([file_id]).get(file_id)


def _context(person: str, file_id: UUID) -> str:
    """A row's content moved to another row is unreadable."""
    return f"{person} file:{file_id}"
