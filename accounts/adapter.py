from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InviteOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by an admin or by an invitation; nobody signs themselves up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
