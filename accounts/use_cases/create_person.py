import uuid
from datetime import datetime

from accounts.enums import PersonKind
from accounts.models import Person, User
from foundation.encryption import blind_digest, new_key, wrap_key


def visitor_digest(token: str) -> str:
    return blind_digest(token, purpose="visitor-cookie")


def person_of_user(*, user: User, now: datetime) -> Person:
    """The person behind a user; made on first need, safe when two requests need it at once."""
    return _get_or_create(kind=PersonKind.USER, lookup={"user": user})


def person_of_visitor(*, token: str, now: datetime) -> Person:
    """The person behind a visitor's cookie token."""
    return _get_or_create(kind=PersonKind.VISITOR, lookup={"visitor_digest": visitor_digest(token)})


def _get_or_create(*, kind: PersonKind, lookup: dict[str, object]) -> Person:
    found = Person.objects.filter(**lookup).first()
    if found:
        return found
    person_id = uuid.uuid4()
    wrapped = wrap_key(new_key(), context=f"person:{person_id}")
    person, _ = Person.objects.get_or_create(**lookup, defaults={"id": person_id, "kind": kind, "wrapped_key": wrapped})
    return person
