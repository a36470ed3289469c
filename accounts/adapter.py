from base64 import b64decode, b64encode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.utils import timezone

from accounts.policies import may_sign_up
from foundation.encryption import seal_secret, unseal_secret


class InviteOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by an admin or by an invitation; nobody signs themselves up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return may_sign_up(request.session, now=timezone.now())


class SealingMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are sealed: a copy of the database, or a look at the admin, gives none away."""

    def encrypt(self, text: str) -> str:
        return b64encode(seal_secret(text, context="second factor")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal_secret(b64decode(encrypted_text), context="second factor")
