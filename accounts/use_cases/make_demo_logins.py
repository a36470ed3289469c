import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.enums import Role
from accounts.models import RoleGrant, User

# Name and what the login may do; the admin is also a superuser.
DEMO = (
    ("annotator", Role.ANNOTATOR),
    ("reviewer", Role.REVIEWER),
    ("researcher", Role.RESEARCHER),
    ("admin", Role.OPERATOR),
)


@dataclass(frozen=True)
class DemoLogin:
    username: str
    role: str
    # None where the login exists and its password was not reset: only a digest of it is stored.
    password: str | None


def has_demo_logins() -> bool:
    return User.objects.filter(username__in=[username for username, _ in DEMO]).exists()


def make_demo_logins(*, reset: bool, now: datetime) -> list[DemoLogin]:
    """One login for each kind of user, with a random password that is known only from this call's result."""
    with transaction.atomic():
        return [_make(username, role, reset) for username, role in DEMO]


def _make(username: str, role: Role, reset: bool) -> DemoLogin:
    is_admin = role == Role.OPERATOR
    user, created = User.objects.get_or_create(
        username=username,
        defaults={"email": f"{username}@cardinal.localhost", "is_staff": is_admin, "is_superuser": is_admin},
    )
    RoleGrant.objects.get_or_create(user=user, role=role)
    if not (created or reset):
        return DemoLogin(username, role, None)
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    return DemoLogin(username, role, password)
