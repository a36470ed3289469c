"""Who may see a board before everybody does, and who decides that everybody may."""

from typing import Any

from accounts.enums import Role
from accounts.models import User
from annotation.models import Board


def sees_hidden_boards(user: Any) -> bool:
    return _has(user, Role.RESEARCHER, Role.CAMPAIGN_ADMIN, Role.OPERATOR)


def is_shown(board: Board) -> bool:
    """To everybody. A slice is shown with the whole that it is of, never without it."""
    return board.is_public and (board.parent is None or board.parent.is_public)


def may_publish(user: Any) -> bool:
    return _has(user, Role.CAMPAIGN_ADMIN)


def reads_reasons(user: Any) -> bool:
    """Why people were blocked, in the words of who did it: these may tell who somebody is."""
    return _has(user, Role.CAMPAIGN_ADMIN)


def _has(user: Any, *roles: str) -> bool:
    return isinstance(user, User) and user.is_active and user.has_role(*roles)
