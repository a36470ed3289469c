import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from accounts.models import Person
from arena.errors import ArenaError
from arena.models import Arena, Battle
from arena.policies import FLOOD_WINDOW, WORK_EXPIRES, WORK_WAIT
from foundation.encryption import blind_digest
from foundation.idempotency import InFlight, KeyReused, body_hash, once

PURPOSE = "work before a battle"
LONGEST = 600


@dataclass
class WorkWanted(ArenaError):
    """More battles begin here than usual: a browser does some work first, or waits `wait_seconds`. `challenge` is for
    this visitor and this arena, and for one battle."""

    challenge: str
    bits: int
    wait_seconds: int


@dataclass(frozen=True)
class Challenge:
    """What a browser was given: it looks for a number that makes the digest of both begin with so many zero bits."""

    arena: int
    person: str
    bits: int
    at: int
    nonce: str


def is_flooded(arena: Arena, *, now: datetime) -> bool:
    """Whether so many battles began here within the last minute that a machine may be at it."""
    if arena.flood_per_minute is None:
        return False
    recent = Battle.objects.filter(arena=arena, created_at__gt=now - FLOOD_WINDOW)
    return recent[: arena.flood_per_minute].count() >= arena.flood_per_minute


@contextmanager
def work_done(*, arena: Arena, person: Person, work: str, key: str, now: datetime) -> Iterator[None]:
    """Let a battle begin: at once in calm; under flood once for each challenge that was solved, or waited for. In the
    caller's transaction, so that a start that fails for another reason spends nothing. Raises WorkWanted.
    """
    if not is_flooded(arena, now=now):
        yield
        return
    challenge = _accepted(work, arena, person, now)
    if challenge is None:
        raise _wanted(arena, person, now)
    with _spend(challenge, key=key, arena=arena, person=person, now=now):
        yield


def refuse_without_work(*, arena: Arena, person: Person, work: str, now: datetime) -> None:
    """Before something is done for a battle that `work_done` would not let begin. Raises WorkWanted."""
    if is_flooded(arena, now=now) and _accepted(work, arena, person, now) is None:
        raise _wanted(arena, person, now)


@contextmanager
def _spend(challenge: Challenge, *, key: str, arena: Arena, person: Person, now: datetime) -> Iterator[None]:
    """Raises WorkWanted, with another, where it was spent on another battle or is being spent at this moment."""
    try:
        with once(key=challenge.nonce, scope="work", body_hash=body_hash({"key": key}), now=now) as attempt:
            if attempt.replayed:
                raise _wanted(arena, person, now)
            yield
            attempt.response = {}
    except (InFlight, KeyReused) as spent:
        raise _wanted(arena, person, now) from spent


def _wanted(arena: Arena, person: Person, now: datetime) -> WorkWanted:
    made = Challenge(arena.pk, str(person.pk), arena.work_bits, int(now.timestamp()), secrets.token_hex(12))
    return WorkWanted(_sealed(made), arena.work_bits, int(WORK_WAIT.total_seconds()))


def _sealed(challenge: Challenge) -> str:
    said = json.dumps([challenge.arena, challenge.person, challenge.bits, challenge.at, challenge.nonce])
    packed = base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")
    return f"{packed}.{blind_digest(packed, purpose=PURPOSE)}"


def _accepted(work: str, arena: Arena, person: Person, now: datetime) -> Challenge | None:
    """The challenge that `work` answers; None where it is none of ours, somebody else's, too old or not solved."""
    sealed, _, number = work.rpartition("~")
    challenge = _opened(sealed)
    if challenge is None or (challenge.arena, challenge.person) != (arena.pk, str(person.pk)):
        return None
    age = now - datetime.fromtimestamp(challenge.at, UTC)
    if age > WORK_EXPIRES:
        return None
    return challenge if age >= WORK_WAIT or solves(sealed, number, challenge.bits) else None


def _opened(sealed: str) -> Challenge | None:
    packed, _, signature = sealed.rpartition(".")
    if len(sealed) > LONGEST or not hmac.compare_digest(
        signature.encode(), blind_digest(packed, purpose=PURPOSE).encode()
    ):
        return None
    try:
        return Challenge(*json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))))
    except (binascii.Error, ValueError, TypeError):
        return None


def solves(sealed: str, number: str, bits: int) -> bool:
    """Whether the digest of the challenge with the number behind it begins with so many zero bits."""
    if not (number.isascii() and number.isdigit() and len(number) <= 20):
        return False
    digest = sha256(f"{sealed}~{number}".encode()).digest()
    return int.from_bytes(digest, "big") >> (256 - bits) == 0
