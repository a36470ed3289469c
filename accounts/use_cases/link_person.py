import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.enums import LinkPurpose
from accounts.errors import AccountsError, PersonErased
from accounts.models import Person, PersonLink
from foundation.encryption import blind_digest

# A link to read is worth stealing; one to delete is kept for as long as the cookie it stands in for.
LIFE = {LinkPurpose.DATA: timedelta(days=30), LinkPurpose.ERASE: timedelta(days=365)}


class NoSuchLink(AccountsError):
    """There is no link with this token, or it was used, replaced, or its time is over; nothing tells which."""


def link_digest(token: str) -> str:
    return blind_digest(token, purpose="person-link")


def link_person(*, person_id: UUID, purpose: LinkPurpose, now: datetime) -> str:
    """The token of a new link to this person's data, which is not kept and cannot be told again.

    A link for the same purpose that was made before ends with it. Raises PersonErased.
    """
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=person_id)
        if person.erased_at is not None:
            raise PersonErased(f"person {person.pk} was erased")
        PersonLink.objects.filter(person=person, purpose=purpose).delete()
        PersonLink.objects.create(
            person=person,
            purpose=purpose,
            token_digest=link_digest(token),
            created_at=now,
            expires_at=now + LIFE[purpose],
        )
    return token


def open_link(*, token: str, now: datetime) -> PersonLink:
    """The link behind a token that could be used now. Raises NoSuchLink."""
    return _open(token, now, lock=False)


def use_link(*, token: str, now: datetime) -> PersonLink:
    """Use the link up, in the transaction of what it is used for. Raises NoSuchLink."""
    with transaction.atomic():
        link = _open(token, now, lock=True)
        link.used_at = now
        link.save(update_fields=["used_at"])
    return link


def _open(token: str, now: datetime, *, lock: bool) -> PersonLink:
    links = PersonLink.objects.select_related("person")
    if lock:
        links = links.select_for_update(of=["self"])
    found = links.filter(token_digest=link_digest(token), used_at__isnull=True, expires_at__gt=now).first()
    if found is None:
        raise NoSuchLink("no link with this token can be used")
    return found
