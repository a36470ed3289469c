import secrets
from datetime import datetime

from accounts.models import User


def make_unnamed_user(*, prefix: str, now: datetime) -> User:
    """An account without password or e-mail address, for somebody whom another service sends.

    It is signed in by whoever recognises them, and by nobody else: it has nothing to sign in with.
    """
    name = f"{prefix}-{secrets.token_hex(8)}"
    user = User(username=name, email=f"{name}@invalid")
    user.set_unusable_password()
    user.save()
    return user
