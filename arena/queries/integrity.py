"""Who leaves battles without a vote, and whether they choose which: by visitor, and by network and day.

Everybody leaves battles. Who looks at two answers and votes only where one that they know is among them leaves the
others: of their battles, those with some model are voted on far more often than those without. With hidden models that
takes another way to know them, so it is worth a look.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import comb
from typing import Any

from django.db import connection

from arena.enums import BattleState
from arena.models import Arena

DAYS = 14
# The models of one that is held are shown later.
VOTED = (BattleState.VOTED, BattleState.HELD)
# Fewer votes say nothing of what somebody chooses.
LEAST_VOTES = 10
# Of one visitor, over all their models: how often somebody who chooses nothing would be marked.
FALSE_ALARMS = 0.001
LISTED = 200
# Battles whose answers their visitor could read; a void one was nobody's to leave.
BATTLES = """
SELECT a.respondent_id, r.pseudonym, b.network, (b.created_at AT TIME ZONE 'UTC')::date, b.state,
    b.answered_at IS NOT NULL,
    ARRAY(SELECT s.contestant_id FROM annotation_response s WHERE s.item_id = b.item_id ORDER BY 1)
FROM arena_battle b
JOIN annotation_assignment a ON a.id = b.assignment_id
JOIN annotation_respondent r ON r.id = a.respondent_id
WHERE b.arena_id = %(arena)s AND b.created_at > %(since)s AND b.state <> 'void'
ORDER BY b.created_at
"""


@dataclass
class Behaviour:
    """`shown` counts battles whose answers were whole, `unread` those that were left before; `open` wait for a vote.

    `chance` is how likely votes would fall on some model as they do, were they spread over the battles by lot; None
    where too little is there to tell.
    """

    shown: int = 0
    voted: int = 0
    abandoned: int = 0
    unread: int = 0
    open: int = 0
    visitors: set[int] = field(default_factory=set)
    ended: list[tuple[bool, tuple[int, ...]]] = field(default_factory=list)
    chance: float | None = None

    @property
    def percent_abandoned(self) -> float | None:
        over = self.voted + self.abandoned
        return 100 * self.abandoned / over if over else None

    @property
    def is_selective(self) -> bool:
        return self.chance is not None and self.chance < FALSE_ALARMS


@dataclass(frozen=True)
class Visitor:
    respondent: int
    pseudonym: str
    behaviour: Behaviour


@dataclass(frozen=True)
class NetworkDay:
    """The network's digest changes with the day: two days of one network cannot be joined."""

    name: str
    day: date
    behaviour: Behaviour


@dataclass(frozen=True)
class Integrity:
    visitors: Sequence[Visitor]
    networks: Sequence[NetworkDay]
    total: Behaviour


def integrity_of(arena: Arena, *, now: datetime) -> Integrity:
    """Of the last days, in one statement; those that are marked first, then who left most."""
    by_visitor: dict[tuple[int, str], Behaviour] = defaultdict(Behaviour)
    by_network: dict[tuple[str, date], Behaviour] = defaultdict(Behaviour)
    total = Behaviour()
    for respondent, pseudonym, network, day, state, answered, models in _battles(arena, now):
        counted = [by_visitor[respondent, pseudonym], total]
        if network:
            counted.append(by_network[network, day])
        for behaviour in counted:
            _count(behaviour, respondent, state, answered, tuple(models))
    for behaviour in by_visitor.values():
        behaviour.chance = chance_of(behaviour.ended)
    visitors = [Visitor(pk, name, behaviour) for (pk, name), behaviour in by_visitor.items()]
    networks = [NetworkDay(name[:8], day, behaviour) for (name, day), behaviour in by_network.items()]
    return Integrity(
        visitors=sorted(visitors, key=lambda each: _order(each.behaviour))[:LISTED],
        networks=sorted(networks, key=lambda each: _order(each.behaviour))[:LISTED],
        total=total,
    )


def _battles(arena: Arena, now: datetime) -> Iterable[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(BATTLES, {"arena": arena.pk, "since": now - timedelta(days=DAYS)})
        return list(cursor.fetchall())


def _count(behaviour: Behaviour, respondent: int, state: str, answered: bool, models: tuple[int, ...]) -> None:
    behaviour.visitors.add(respondent)
    behaviour.shown += answered
    behaviour.voted += state in VOTED
    behaviour.open += state in (BattleState.ANSWERING, BattleState.VOTABLE)
    if state == BattleState.ABANDONED:
        behaviour.abandoned += answered
        behaviour.unread += not answered
    if answered and state in (*VOTED, BattleState.ABANDONED):
        behaviour.ended.append((state in VOTED, models))


def _order(behaviour: Behaviour) -> tuple[bool, int, int]:
    return (not behaviour.is_selective, -behaviour.abandoned, -behaviour.shown)


def chance_of(ended: Sequence[tuple[bool, tuple[int, ...]]]) -> float | None:
    """The least chance over all models, times their number: of the votes, at least as many as did fall on battles with
    the model, were the votes spread by lot. None below LEAST_VOTES, and where nothing was left.
    """
    votes = sum(voted for voted, _models in ended)
    if votes < LEAST_VOTES or votes == len(ended):
        return None
    models = {model for _voted, each in ended for model in each}
    chances = []
    for model in models:
        with_it = sum(model in each for _voted, each in ended)
        voted_with = sum(voted and model in each for voted, each in ended)
        chances.append(_at_least(voted_with, with_it, votes, len(ended)))
    return min(1.0, len(models) * min(chances))


def _at_least(found: int, marked: int, drawn: int, all_of_them: int) -> float:
    """Of so many drawn from all without putting back, the chance that at least `found` are marked."""
    ways = range(found, min(marked, drawn) + 1)
    return sum(comb(marked, n) * comb(all_of_them - marked, drawn - n) for n in ways) / comb(all_of_them, drawn)
