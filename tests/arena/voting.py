"""Votes in battles, by whoever a test says, for whichever model it says."""

from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import Person
from annotation.models import Judgment
from arena.models import Battle
from arena.use_cases.cast_vote import cast_vote
from arena.web.visitors import COOKIE
from tests.arena.factories import votable
from tests.factories import new_key


def browser_of(token: str) -> Client:
    """Of the visitor whose cookie it is."""
    client = Client()
    client.cookies[COOKIE] = token
    return client


def vote(battle: Battle, person: Person, *, choice: str = "a", goes_on: bool = False, **answers: Any) -> Judgment:
    preference = {"choice": choice, "strength": 2 if choice in "ab" else None}
    return cast_vote(
        battle_id=battle.pk,
        turn_count=battle.turn_count,
        regenerations=battle.regenerations,
        goes_on=goes_on,
        person=person,
        key=new_key(),
        answers={"preference": preference, **answers},
        now=timezone.now(),
    )


def shown(battle: Battle) -> list[int]:
    """The contestants' ids in the order shown."""
    by_position = dict(battle.item.responses.values_list("position", "contestant"))
    return [by_position[position] for position in battle.impression.order]


def prefer(person: Person, contestant: int, **fields: Any) -> Judgment:
    """A battle in which that contestant is preferred; it must be one of two."""
    battle = votable(person, **fields)
    return vote(battle, person, choice="ab"[shown(battle).index(contestant)])


def voted(person: Person, **fields: Any) -> Battle:
    battle = votable(person, **fields)
    vote(battle, person)
    battle.refresh_from_db()
    return battle


def asked_for_worth(person: Person) -> Battle:
    """Half of all battles ask what the better answer is worth; what is not answered would keep the workers busy."""
    while True:
        battle = votable(person)
        if "worth" in battle.impression.questions_asked:
            return battle
