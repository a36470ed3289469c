"""A flood of battles asks browsers for some work first; calm asks nobody. One challenge begins one battle."""

import re
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from arena.models import Arena, Battle, PoolPrompt, PromptDraw
from arena.use_cases import demand_work as module
from arena.use_cases.demand_work import WorkWanted, solves
from arena.use_cases.start_battle import start_battle
from foundation.idempotency import Attempt
from inference_workers.models import LanguageModel
from tests.annotation.media.files import picture
from tests.arena.factories import make_arena, make_models, votable
from tests.arena.voting import browser_of, vote
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


def worked(page: str) -> str:
    """The answer to what a page asks for."""
    challenge = re.search(r'data-challenge="([^"]+)" data-bits="8"', page)[1]
    return f"{challenge}~{next(n for n in range(10**6) if solves(challenge, str(n), 8))}"


@pytest.mark.django_db
def test_give_me_any_names_its_own_button_so_that_one_press_is_enough_and_keeps_its_category():
    arena = flooded()
    for number, category in enumerate(["poems", "code"]):
        PoolPrompt.objects.create(arena=arena, text=f"Prompt {number}", digest=str(number), category=category)
    client = Client()
    refused = client.post(reverse("start-any"), {"key": new_key(), "category": "poems", "prompt": ""})
    page = refused.content.decode()
    assert (refused.status_code, 'data-sender="#give-any"' in page) == (429, True)
    button = re.search(r'<button[^>]*id="give-any"[^>]*>', page)[0]
    assert ('name="category" value="poems"' in button, "formnovalidate" in button) == (True, True)
    said = {"key": new_key(), "category": "poems", "prompt": "", "work": worked(page)}
    assert client.post(reverse("start-any"), said).status_code == 302
    assert PromptDraw.objects.get().category == "poems"


def voted_on(client):
    """A battle of the client's whose vote left the models hidden, and one that waits for it, under flood."""
    arena = flooded(flood_per_minute=None)
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    held, open_one = votable(person, arena=arena), votable(person, arena=arena)
    vote(held, person, goes_on=True)
    Arena.objects.filter(pk=arena.pk).update(flood_per_minute=1)
    return held, open_one


TOKEN = "cookie-of-a-visitor-in-a-flood"


@pytest.mark.django_db(transaction=True)
def test_going_on_and_asking_again_cost_the_same_work_under_flood_and_lose_nothing():
    client = browser_of(TOKEN)
    held, open_one = voted_on(client)
    going, again = reverse("go-on", args=[held.pk]), reverse("regenerate", args=[open_one.pk])
    said = {"prompt": "And at night?", "base": "a", "key": new_key()}
    refused = client.post(going, said)
    page = refused.content.decode()
    assert (refused.status_code, refused["Retry-After"], "And at night?</textarea>" in page) == (429, "60", True)
    assert page.index('class="part__go-on') < page.index('id="work"')
    assert Battle.objects.filter(continues=held).count() == 0
    assert client.post(going, said | {"work": worked(page)})["Location"].startswith("/battles/")
    form = {"turn_count": "1", "regenerations": "0", "key": new_key()}
    refused = client.post(again, form)
    page = refused.content.decode()
    assert (refused.status_code, Battle.objects.get(pk=open_one.pk).regenerations) == (429, 0)
    assert page.index('class="ask-again') < page.index('id="work"')
    by_htmx = client.post(again, form, headers={"HX-Request": "true"})
    assert (by_htmx.status_code, "data-work" in by_htmx.content.decode()) == (422, True)
    assert client.post(again, form | {"work": worked(page)}).status_code == 302
    assert Battle.objects.get(pk=open_one.pk).regenerations == 1


@pytest.mark.django_db(transaction=True)
def test_control_in_calm_neither_asks_for_any():
    client = browser_of(TOKEN)
    held, open_one = voted_on(client)
    Arena.objects.update(flood_per_minute=None)
    said = {"prompt": "And at night?", "base": "a", "key": new_key()}
    assert client.post(reverse("go-on", args=[held.pk]), said).status_code == 302
    form = {"turn_count": "1", "regenerations": "0", "key": new_key()}
    assert client.post(reverse("regenerate", args=[open_one.pk]), form).status_code == 302


@pytest.mark.django_db
def test_under_flood_a_picture_has_to_be_chosen_again_before_the_browser_sends_anything():
    flooded(takes_images=True)
    LanguageModel.objects.update(takes_images=True)
    for content, waits in ((None, False), (picture(), True)):
        said = {"prompt": "What is this?", "key": new_key()}
        if content:
            said["picture"] = SimpleUploadedFile("photo.png", content, content_type="image/png")
        refused = Client().post(reverse("start-battle"), said)
        page = refused.content.decode()
        assert (refused.status_code, "data-work" in page, "data-waits" in page) == (429, True, waits)
        assert ("choose your picture again" in page) == waits


@pytest.mark.django_db(transaction=True)
def test_whose_answer_was_chosen_to_go_on_from_is_still_chosen_when_the_work_is_done():
    client = browser_of(TOKEN)
    arena = flooded(flood_per_minute=None)
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    held = votable(person, arena=arena)
    vote(held, person, choice="tie", goes_on=True)
    Arena.objects.filter(pk=arena.pk).update(flood_per_minute=1)
    said = {"prompt": "And at night?", "base": "b", "key": new_key()}
    page = client.post(reverse("go-on", args=[held.pk]), said).content.decode()
    assert re.findall(r'name="base" value="(\w?)"[^>]* checked', page) == ["b"]
