from datetime import datetime

from accounts.models import RoleGrant, User


def grant_role(*, user: User, role: str, granted_by: User | None, now: datetime) -> RoleGrant:
    """Let a user do what the role may do. Granting again changes nothing, not even who granted it."""
    grant, _ = RoleGrant.objects.get_or_create(user=user, role=role, defaults={"granted_by": granted_by})
    return grant


def revoke_role(*, user: User, role: str, now: datetime) -> bool:
    """Take a role away; False where the user did not have it."""
    deleted, _ = RoleGrant.objects.filter(user=user, role=role).delete()
    return bool(deleted)
