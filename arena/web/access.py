"""Who opens arenas, changes them, and enters models."""

from typing import Any

from accounts.enums import Role
from accounts.models import User


def may_manage(user: Any) -> bool:
    return isinstance(user, User) and user.is_active and user.has_role(Role.CAMPAIGN_ADMIN)
