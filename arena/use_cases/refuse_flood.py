from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Person
from arena.errors import ArenaError
from arena.models import Arena, Battle
from foundation.database import lock_number
from inference_workers.queries import estimated_wait, queue_length

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass
class TooBusy(ArenaError):
    """The workers have more than they can answer soon, or too few models `answer` at all while the endpoints of others
    are left alone; nothing was written. Come back in `wait_seconds`."""

    wait_seconds: int
    answer: bool = True


@dataclass
class TooManyBattles(ArenaError):
    """This visitor, or their network, has started as many battles as one may for now: in `wait_seconds` one more."""

    wait_seconds: int


def refuse_when_busy(arena: Arena) -> None:
    """Raises TooBusy."""
    if queue_length() >= arena.max_waiting:
        raise TooBusy(wait_seconds=max(5, round(estimated_wait().total_seconds())))


def refuse_flood(*, arena: Arena, person: Person, network: str, now: datetime) -> None:
    """Raises TooManyBattles beyond the caps of a visitor here and of a network everywhere.

    Until the caller's transaction ends the next battle of the same visitor or network waits, so that battles that
    start at once are counted one after the other.
    """
    wait_in_line([f"arena.visitor:{arena.pk}:{person.pk}", *([f"arena.network:{network}"] if network else [])])
    own = Battle.objects.filter(arena=arena, assignment__respondent__person=person)
    _refuse_beyond(own, arena.battles_per_day, DAY, now)
    if network:
        _refuse_beyond(Battle.objects.filter(network=network), arena.battles_per_network, HOUR, now)


def wait_in_line(names: Iterable[str]) -> None:
    """Visitors first, then networks: two who wait for each other's second lock cannot be."""
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number(name)])


def _refuse_beyond(battles: QuerySet[Battle], most: int, window: timedelta, now: datetime) -> None:
    """There is room again once the oldest of the newest `most` is older than the window."""
    recent = battles.filter(created_at__gt=now - window).order_by("-created_at")
    times = list(recent.values_list("created_at", flat=True)[:most])
    if len(times) < most:
        return
    wait = window - (now - times[-1]) if times else window
    raise TooManyBattles(wait_seconds=max(1, round(wait.total_seconds())))
