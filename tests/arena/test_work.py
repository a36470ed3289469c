"""A flood of battles asks browsers for some work first; calm asks nobody. One challenge begins one battle."""

import re
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.models import Battle
from arena.use_cases import demand_work as module
from arena.use_cases.demand_work import WorkWanted, solves
from arena.use_cases.start_battle import start_battle
from foundation.idempotency import Attempt
from tests.arena.factories import make_arena, make_models
from tests.factories import make_person, new_key
from tests.foundation.threads import run_together


def start(arena, person, work="", *, now=None, key=None):
    now = now or timezone.now()
    return start_battle(arena=arena, person=person, prompt="Why?", network="", key=key or new_key(), now=now, work=work)


def flooded(**fields):
    """An arena in which two battles a minute are a flood, and in which they have just begun."""
    arena = make_arena(**{"flood_per_minute": 2, "work_bits": 8} | fields)
    make_models()
    for _ in range(2):
        start(arena, make_person())
    return arena


def asked(arena, person, **values):
    with pytest.raises(WorkWanted) as wanted:
        start(arena, person, **values)
    return wanted.value


def solved(wanted):
    number = next(n for n in range(10**6) if solves(wanted.challenge, str(n), wanted.bits))
    return f"{wanted.challenge}~{number}"


@pytest.mark.django_db
def test_a_flood_turns_it_on_and_calm_turns_it_off():
    arena, person = flooded(), make_person()
    wanted = asked(arena, person)
    assert (wanted.bits, wanted.wait_seconds, Battle.objects.count()) == (8, 60, 2)
    assert start(arena, person, solved(wanted)).state == "answering"
    Battle.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert start(arena, person).state == "answering"


@pytest.mark.django_db
def test_an_arena_that_sets_no_limit_never_asks_for_work():
    arena = flooded(flood_per_minute=None)
    assert start(arena, make_person()).state == "answering"


@pytest.mark.django_db
def test_what_is_forged_expired_anothers_or_spent_is_refused():
    arena, other, person = flooded(), make_arena("poems"), make_person()
    other.flood_per_minute = 1
    other.save()
    start(other, make_person())
    now = timezone.now()
    wanted = asked(arena, person)
    work = solved(wanted)
    body, _, signature = wanted.challenge.partition(".")
    refused = {
        "unsolved": f"{wanted.challenge}~",
        "forged": f"{body}.{signature[:-1]}{'0' if signature[-1] != '0' else '1'}~0",
        "made easier": f"{body[:-3]}AAA.{signature}~0",
        "nothing": "~",
        "not ours": "x" * 600,
        "no number": f"{wanted.challenge}~{'9' * 40}",
    }
    for name, said in refused.items():
        assert asked(arena, person, work=said), name
    assert asked(arena, make_person(), work=work), "of another visitor"
    assert asked(other, person, work=work), "of another arena"
    Battle.objects.update(created_at=now + timedelta(minutes=11))
    assert asked(arena, person, work=work, now=now + timedelta(minutes=11)), "expired"
    Battle.objects.update(created_at=now)
    assert start(arena, person, work)
    assert asked(arena, person, work=work), "spent"


@pytest.mark.django_db
def test_who_has_no_script_waits_instead_and_once_for_each_battle():
    arena, person = flooded(), make_person()
    wanted = asked(arena, person)
    later = timezone.now() + timedelta(seconds=61)
    Battle.objects.update(created_at=later)
    work = f"{wanted.challenge}~"
    assert start(arena, person, work, now=later)
    assert asked(arena, person, work=work, now=later)


@pytest.mark.django_db
def test_a_start_that_fails_for_another_reason_spends_nothing(monkeypatch):
    arena, person = flooded(max_waiting=4), make_person()
    arena.max_waiting = 1000
    work = solved(asked(arena, person))
    monkeypatch.setattr("arena.use_cases.start_battle.ask_models", lambda **values: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        start(arena, person, work)
    monkeypatch.undo()
    assert start(arena, person, work)


@pytest.mark.django_db
def test_the_page_asks_for_it_keeps_the_prompt_and_takes_the_answer():
    flooded()
    client = Client()
    refused = client.post(reverse("start-battle"), {"prompt": "Why is it so?", "key": new_key()})
    page = refused.content.decode()
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert ("Why is it so?</textarea>" in page, "<noscript><p>Your prompt is still here." in page) == (True, True)
    challenge = re.search(r'data-challenge="([^"]+)" data-bits="8"', page)[1]
    assert f'name="work" id="work" value="{challenge}~"' in page
    number = next(n for n in range(10**6) if solves(challenge, str(n), 8))
    said = {"prompt": "Why is it so?", "key": new_key(), "work": f"{challenge}~{number}"}
    assert client.post(reverse("start-battle"), said)["Location"].startswith("/battles/")


def raced(monkeypatch):
    """So many starts at once with one challenge, each with a key of its own; how many battles there are of it."""
    arena, person = flooded(max_waiting=1000), make_person()
    work = solved(asked(arena, person))
    # Those of one visitor wait in line for the caps; here they meet.
    monkeypatch.setattr("arena.use_cases.start_battle.refuse_flood", lambda **values: time.sleep(0.05))
    run_together(*[partial(start, arena, person, work) for _ in range(6)])
    return Battle.objects.filter(assignment__respondent__person=person).count()


@pytest.mark.django_db(transaction=True)
def test_one_challenge_begins_one_battle_however_many_tabs_send_it(monkeypatch):
    assert raced(monkeypatch) == 1


@contextmanager
def looks_and_forgets(**values):
    yield Attempt(replayed=False)


@pytest.mark.django_db(transaction=True)
def test_control_where_nobody_notes_what_is_spent_it_begins_many(monkeypatch):
    monkeypatch.setattr(module, "once", looks_and_forgets)
    assert raced(monkeypatch) > 1
