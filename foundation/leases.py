"""Pieces of a lease: a random token as the fence, the database's clock as the judge."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


def new_token() -> UUID:
    """A fence no earlier holder can guess; a result is written only where the token still stands."""
    return uuid4()


def lease_until(duration: timedelta) -> Combinable:
    """The end of a lease that starts with this statement, on the database's clock."""
    return Now() + duration


def lease_expired(field: str = "lease_until") -> Q:
    """Rows whose lease has run out, on the database's clock. A null lease has not expired: nobody holds it."""
    return Q(**{f"{field}__lt": Now()})


def lease_holds(field: str = "lease_until") -> Q:
    return Q(**{f"{field}__gte": Now()})
