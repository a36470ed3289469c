"""Exactly once: a key minted when the form is rendered, stored with the answer beside the effect."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, transaction
from django.http import QueryDict

from foundation.database import lock_number, planned_cursor
from foundation.models import IdempotencyRecord

KEPT_FOR = timedelta(hours=24)
DRAFT_KEPT_FOR = timedelta(days=7)

# In the database, so that both statements are one round trip and planned once; the second still sees what was committed
# before the lock was held (foundation/migrations).
LOCK_AND_LOOK = "SELECT is_locked, body_hash, response FROM foundation_lock_and_look(%s, %s, %s)"
REMEMBER = """
    INSERT INTO foundation_idempotencyrecord (scope, key, body_hash, response, created_at, expires_at)
    VALUES (%s, %s, %s, %s, %s, %s)
"""


class IdempotencyError(Exception):
    """Why a key was refused; `status_code` is the HTTP answer that tells the client what to do."""

    status_code = 400


class BadKey(IdempotencyError):
    """Not 1 to 64 visible ASCII characters."""


class InFlight(IdempotencyError):
    """The same request is being handled at this moment: ask again shortly."""

    status_code = 409


class KeyReused(IdempotencyError):
    """The key was used with another body."""

    status_code = 422


@dataclass
class Attempt:
    """`replayed` says that the effect took place before, and `response` is its answer; else set `response`."""

    replayed: bool
    response: Any = None


def mint_key() -> str:
    """A key for a form that is being rendered."""
    return uuid4().hex


def body_hash(data: Any) -> str:
    """A hash of the meaning of a body: key order, and a form's CSRF token, make no difference."""
    if isinstance(data, QueryDict):
        data = {name: values for name, values in data.lists() if name != "csrfmiddlewaretoken"}
    elif isinstance(data, bytes):
        return sha256(data).hexdigest()
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False, cls=DjangoJSONEncoder)
    return sha256(canonical.encode()).hexdigest()


@contextmanager
def once(*, key: str, scope: str, body_hash: str, now: datetime, kept_for: timedelta = KEPT_FOR) -> Iterator[Attempt]:
    """Let the block take effect once for `scope` and `key`, in the caller's transaction.

        with transaction.atomic(), once(key=key, scope="vote:17", body_hash=digest, now=now) as attempt:
            if attempt.replayed:
                return attempt.response
            ...
            attempt.response = {"judgment": judgment.pk}

    The key, the hash and the response are written by the transaction of the effect: an exception leaves none of them,
    so that a failure may be tried again with the same key. Raises `InFlight`, `KeyReused` or `BadKey` before the block.
    """
    if not re.fullmatch(r"[\x21-\x7e]{1,64}", key):
        raise BadKey("an idempotency key has 1 to 64 visible ASCII characters")
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("once() belongs inside the transaction of the effect")
    earlier = _lock_and_look(scope, key)
    if earlier is not None:
        if earlier[0] != body_hash:
            raise KeyReused(f"the key {key} was used with another body")
        yield Attempt(replayed=True, response=earlier[1])
        return
    attempt = Attempt(replayed=False)
    yield attempt
    _remember(scope, key, body_hash, attempt.response, now, kept_for)


def is_remembered(*, key: str, scope: str) -> bool:
    """Whether the effect took place before. A look without a lock: `once` alone decides."""
    return IdempotencyRecord.objects.filter(scope=scope, key=key).exists()


def forget_expired(*, now: datetime) -> int:
    """Delete the records nobody may ask for any more; returns how many."""
    deleted, _ = IdempotencyRecord.objects.filter(expires_at__lt=now).delete()
    return deleted


def _lock_and_look(scope: str, key: str) -> tuple[str, Any] | None:
    with planned_cursor() as cursor:
        cursor.execute(LOCK_AND_LOOK, [lock_number(f"once\0{scope}\0{key}"), scope, key])
        is_locked, known_hash, response = cursor.fetchone()
    if not is_locked:
        raise InFlight(f"the request with the key {key} is being handled")
    if known_hash is None:
        return None
    # Django reads jsonb as text, so that each field may choose its decoder.
    return known_hash, json.loads(response) if isinstance(response, str) else response


def _remember(scope: str, key: str, body_hash: str, response: Any, now: datetime, kept_for: timedelta) -> None:
    values: list[str | datetime] = [scope, key, body_hash, DjangoJSONEncoder().encode(response), now, now + kept_for]
    try:
        with planned_cursor() as cursor:
            cursor.execute(REMEMBER, values)
    except IntegrityError as error:
        # The lock was not enough (another database session without it); the effect rolls back with this transaction.
        raise InFlight(f"the request with the key {key} was handled meanwhile") from error
