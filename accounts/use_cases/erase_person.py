from datetime import datetime

from django.db import transaction

from accounts.models import Person


def erase_person(*, person_id: object, now: datetime) -> Person:
    """Destroy the person's key and every link to who they were; their answers and the standings stay.

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
        if user is not None:
            user.role_grants.all().delete()
            user.emailaddress_set.all().delete()
            user.username = user.email = f"erased-{user.pk}@invalid"
            user.first_name = user.last_name = ""
            user.is_active = user.is_staff = user.is_superuser = False
            user.set_unusable_password()
            user.save()
    return person
