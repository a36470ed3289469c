class AccountsError(Exception):
    """What this app refuses by name."""


class PersonErased(AccountsError):
    """The person's key was destroyed; what was sealed under it cannot be read or added to."""
