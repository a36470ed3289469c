"""Who may see a board before everybody does, and who decides that everybody may."""

from typing import Any

from accounts.enums import Role
from accounts.models import User


def sees_hidden_boards(user: Any) -> bool:
    return _has(user, Role.RESEARCHER, Role.CAMPAIGN_ADMIN, Role.OPERATOR)


def may_publish(user: Any) -> bool:
    return _has(user, Role.CAMPAIGN_ADMIN)


def _has(user: Any, *roles: str) -> bool:
    return isinstance(user, User) and user.is_active and user.has_role(*roles)
