"""Who opens arenas, changes them, and enters models; who reads a board."""

from typing import Any

from django.http import Http404

from accounts.enums import Role
from accounts.models import User
from annotation.models import Board
from annotation.policies.boards import is_shown, sees_hidden_boards


def may_manage(user: Any) -> bool:
    return isinstance(user, User) and user.is_active and user.has_role(Role.CAMPAIGN_ADMIN)


def readable_board(slug: str, user: Any) -> Board:
    """Raises Http404, also for one that is there and not to be seen."""
    found = Board.objects.select_related("campaign", "parent").filter(slug=slug).first()
    if found is None or not (is_shown(found) or sees_hidden_boards(user)):
        raise Http404
    return found
