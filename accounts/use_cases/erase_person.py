from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from accounts.models import Person, User


def erase_person(*, person_id: UUID, now: datetime) -> Person:
    """Destroy the person's key, what their files held and every link to who they were; their answers and the standings
    stay.

    Erasing twice is the same as once. A user's account, where there is one, is closed and made anonymous.
    """
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=person_id)
        if person.erased_at is not None:
            return person
        user = person.user
        person.wrapped_key, person.visitor_digest, person.user = None, None, None
        person.erased_at = now
        person.save(update_fields=["wrapped_key", "visitor_digest", "user", "erased_at"])
        person.links.all().delete()
        # Nobody could read them; they would only take room.
        person.files.update(sealed=b"")
        if user is not None:
            _forget_traces(user)
            _close_account(user)
    return person


def _forget_traces(user: User) -> None:
    """What others wrote down about the account: attempts to sign in, and the admin's history with its name."""
    names = {user.username, user.email}
    for attempts in (AccessAttempt, AccessFailureLog, AccessLog):
        attempts.objects.filter(username__in=names).delete()
    history = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    history.update(object_repr="erased", change_message="")


def _close_account(user: User) -> None:
    user.role_grants.all().delete()
    EmailAddress.objects.filter(user=user).delete()
    user.groups.clear()
    user.user_permissions.clear()
    Authenticator.objects.filter(user=user).delete()
    user.username = user.email = f"erased-{user.pk}@invalid"
    user.first_name = user.last_name = ""
    user.last_login = None
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()
