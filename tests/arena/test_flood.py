"""How many battles one may start: exactly the cap, however many tabs start at once, and the answer says when again."""

import time
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.models import Arena, Battle
from arena.use_cases import refuse_flood as module
from arena.use_cases import start_battle as starting
from arena.use_cases.start_battle import TooManyBattles, start_battle
from inference_workers.models import Completion
from tests.arena.factories import answer, make_arena, make_models, votable
from tests.factories import make_person, new_key
from tests.foundation.threads import run_together

HTMX = {"HX-Request": "true"}


def start(arena, person, network=""):
    return start_battle(arena=arena, person=person, prompt="Why?", network=network, key=new_key(), now=timezone.now())


def raced(monkeypatch, *, people, network, starts=8):
    """So many starts at once, by people in turn, each waiting a little between the count and the battle."""
    arena = make_arena(max_waiting=1000)
    make_models()
    everybody = [make_person() for _ in range(people)]
    start(arena, make_person())  # contestants and entries are there
    counted = starting.refuse_flood

    def slowly(**values):
        counted(**values)
        time.sleep(0.05)

    monkeypatch.setattr(starting, "refuse_flood", slowly)
    outcomes = run_together(*[partial(start, arena, everybody[n % people], network) for n in range(starts)])
    assert all(isinstance(each, Battle | TooManyBattles) for each in outcomes), outcomes
    return sum(isinstance(each, Battle) for each in outcomes)


def cap(*, day=100, hour=300):
    make_arena()
    Arena.objects.update(battles_per_day=day, battles_per_network=hour)


@pytest.mark.django_db(transaction=True)
def test_one_visitors_tabs_start_exactly_as_many_battles_as_one_may(monkeypatch):
    cap(day=3)
    assert raced(monkeypatch, people=1, network="") == 3


@pytest.mark.django_db(transaction=True)
def test_one_networks_visitors_start_exactly_as_many_battles_as_it_may(monkeypatch):
    cap(hour=3)
    assert raced(monkeypatch, people=4, network="n1") == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("people", "network", "caps"), [(1, "", {"day": 3}), (4, "n1", {"hour": 3})])
def test_control_without_the_line_counting_and_then_inserting_overshoots(monkeypatch, people, network, caps):
    monkeypatch.setattr(module, "wait_in_line", lambda names: None)
    cap(**caps)
    assert raced(monkeypatch, people=people, network=network) > 3


@pytest.mark.django_db
def test_there_is_room_again_when_the_oldest_is_a_day_old():
    arena, person = make_arena(battles_per_day=2), make_person()
    make_models()
    first, _second = start(arena, person), start(arena, person)
    Battle.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(hours=23))
    with pytest.raises(TooManyBattles) as refused:
        start(arena, person)
    assert 3590 <= refused.value.wait_seconds <= 3600
    Battle.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert start(arena, person)


@pytest.mark.django_db
def test_a_visitors_battles_in_one_arena_leave_the_other_its_own():
    one, other, person = make_arena(battles_per_day=1), make_arena("poems", battles_per_day=1), make_person()
    make_models()
    assert start(one, person)
    assert start(other, person)
    with pytest.raises(TooManyBattles):
        start(other, person)


@pytest.mark.django_db
def test_a_network_is_capped_over_all_arenas_by_what_each_arena_says():
    make_models()
    poems = make_arena("poems", battles_per_network=1)
    start(make_arena(), make_person(), "n1")
    with pytest.raises(TooManyBattles):
        start(poems, make_person(), "n1")
    assert start(poems, make_person(), "n2")
    Arena.objects.filter(pk=poems.pk).update(battles_per_network=2)
    poems.refresh_from_db()
    assert start(poems, make_person(), "n1")


@pytest.mark.django_db
def test_who_started_too_many_is_told_when_to_come_back():
    make_arena(battles_per_day=1)
    make_models()
    client = Client()
    for status in (302, 429):
        answered = client.post(reverse("start-battle"), {"prompt": "Why?", "key": new_key()})
        assert answered.status_code == status
    assert 80_000 < int(answered["Retry-After"]) <= 86_400
    assert "as many battles as one visitor can start" in answered.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("headers", "status"), [({}, 429), (HTMX, 422)], ids=["page", "htmx"])
def test_a_follow_up_waits_while_the_models_are_busy(client, headers, status):
    arena = make_arena()
    make_models()
    begun = client.post(reverse("start-battle"), {"prompt": "Why?", "key": new_key()})
    battle = answer(Battle.objects.get(pk=begun["Location"].rsplit("/", 1)[1]))
    votable()
    start(arena, make_person())
    arena.max_waiting = 2
    arena.save()
    asked = Completion.objects.count()
    said = {"prompt": "And at sunset?", "key": new_key()}
    refused = client.post(reverse("follow-up", args=[battle.pk]), said, headers=headers)
    assert (refused.status_code, int(refused["Retry-After"]) >= 5) == (status, True)
    assert "And at sunset?" in refused.content.decode()
    battle.refresh_from_db()
    assert (battle.state, battle.turn_count, Completion.objects.count()) == ("votable", 1, asked)
