"""Seal and read free text under its author's key. An erased person's texts read as None."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.errors import PersonErased
from accounts.models import Person, PersonalText
from foundation.encryption import blind_digest, seal, unseal, unwrap_key
from foundation.text import clean_text


def _context(person_id: object) -> str:
    return f"person:{person_id}"


def write_personal_text(*, person: Person, text: str) -> PersonalText:
    """Store `text` (cleaned) under the person's key. Raises PersonErased when that key is gone."""
    return PersonalText.objects.create(person=person, sealed=seal_for(person, text))


def seal_for(person: Person, text: str) -> bytes:
    """`text` (cleaned) under the person's key, for a row that holds it itself. Raises PersonErased."""
    context, key = key_of(person)
    return seal(clean_text(text).encode(), key=key, context=context)


def unseal_of(person: Person, sealed: bytes | memoryview) -> str:
    """What `seal_for` sealed. Raises PersonErased."""
    context, key = key_of(person)
    return unseal(bytes(sealed), key=key, context=context).decode()


def blind_digest_for(person: Person, text: str, *, purpose: str) -> str:
    """A digest that only the person's key can make again: after an erasure it fits no text. Raises PersonErased."""
    _context, key = key_of(person)
    return blind_digest(text, purpose=purpose, key=key)


@dataclass(frozen=True)
class BrowserKey:
    """What a person's pages seal words with that wait in the browser, and a mark by which they know their own."""

    mark: str
    key: str  # 64 hex digits


def browser_key_of(person: Person) -> BrowserKey:
    """The same in every session, and gone with the person's key. Raises PersonErased."""
    _context, key = key_of(person)
    mark, secret = (blind_digest(what, purpose="browser", key=key) for what in ("mark", "key"))
    return BrowserKey(mark[:32], secret)


def key_of(person: Person) -> tuple[str, bytes]:
    """The context of what is sealed under a person's key, and the key. Raises PersonErased."""
    if person.wrapped_key is None:
        raise PersonErased(f"person {person.pk} was erased")
    context = _context(person.pk)
    return context, unwrap_key(bytes(person.wrapped_key), context=context)


def read_personal_texts(ids: Iterable[int]) -> dict[int, str | None]:
    """Text by id; None where the author was erased. Each author's key is unwrapped once."""
    keys: dict[object, bytes] = {}
    texts: dict[int, str | None] = {}
    # Column by column: a search opens a thousand of them while somebody waits.
    rows = PersonalText.objects.filter(pk__in=set(ids))
    for pk, sealed, person_id, wrapped in rows.values_list("pk", "sealed", "person_id", "person__wrapped_key"):
        if wrapped is None:
            texts[pk] = None
            continue
        context = _context(person_id)
        if person_id not in keys:
            keys[person_id] = unwrap_key(bytes(wrapped), context=context)
        texts[pk] = unseal(bytes(sealed), key=keys[person_id], context=context).decode()
    return texts


def read_personal_text(text_id: int) -> str | None:
    return read_personal_texts([text_id])[text_id]
