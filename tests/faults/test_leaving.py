"""Whoever leaves frees the models in some seconds, whoever only lost the network loses nothing; and where Redis cannot
be asked nobody has left."""

import asyncio
import time

import pytest
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Assignment, Event, ImpressionEvent, Item, Slot
from arena import presence
from arena.models import Battle
from arena.queries.waiting import wait_of
from arena.use_cases.sweep_battles import sweep_battles
from arena.web import streams
from inference_workers.models import Completion
from inference_workers.streams import sync_client
from tests.arena.factories import answer, begin, make_models, votable
from tests.factories import make_person
from tests.faults.reading import Tab, follow, follow_once
from tests.faults.test_reconnect import TOKEN, client_of
from tests.inference_workers.factories import make_endpoint

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_redis")]

AWAY = 2  # seconds, where it is 30 for visitors


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(presence, "SECONDS", AWAY)
    monkeypatch.setattr(presence, "SECOND_LOOK_AFTER", 1)
    monkeypatch.setattr(streams, "RENEW_SECONDS", 0.5)


def visitors_battle() -> Battle:
    return begin(person_of_visitor(token=TOKEN, now=timezone.now()))


def read_for(seconds: float, battle: Battle, tab: Tab) -> None:
    """A connection that is lost after so many seconds."""

    async def run() -> None:
        reading = asyncio.create_task(follow(client_of(), battle, tab))
        await asyncio.sleep(seconds)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    asyncio.run(run())


def swept_for(seconds: float) -> int:
    """How many battles sweeps find abandoned in so many seconds."""
    until, found = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        found += sweep_battles(now=timezone.now())["abandoned"]
        time.sleep(0.2)
    return found


def states(battle: Battle) -> dict[str, object]:
    battle.refresh_from_db()
    return {
        "battle": battle.state,
        "item": Item.objects.get(battle=battle).state,
        "assignment": Assignment.objects.get(battle=battle).state,
        "slot": Slot.objects.get(item__battle=battle).state,
        "impression": list(ImpressionEvent.objects.filter(impression=battle.impression).values_list("kind", flat=True)),
        "completions": sorted(
            Completion.objects.filter(turn__response__item=battle.item).values_list("state", flat=True)
        ),
    }


LEFT = {
    "battle": "abandoned",
    "item": "void",
    "assignment": "cancelled",
    "slot": "cancelled",
    "impression": ["abandoned"],
    "completions": ["cancelled", "cancelled"],
}


def test_a_battle_whose_reader_left_is_stopped_and_logged_as_abandoned(soon):
    make_models()
    battle = visitors_battle()
    read_for(0.5, battle, Tab())
    begun = time.monotonic()
    assert swept_for(AWAY + 2.5) == 1
    print(f"gone at most {time.monotonic() - begun:.1f} s")
    assert states(battle) == LEFT
    assert Event.objects.get(verb="left").reason == "its reader was gone while the models wrote"
    assert sync_client().hgetall(presence.READ) == {}
    page = client_of().get(f"/battles/{battle.pk}").content.decode()
    assert "The models were stopped before all had answered" in page
    assert "data-stream" not in page


def test_who_lost_the_network_for_less_loses_nothing(soon):
    make_models()
    battle, tab = visitors_battle(), Tab()
    for _ in range(3):
        read_for(0.5, battle, tab)
        assert swept_for(AWAY / 2) == 0
    answer(battle)
    follow_once(client_of(), battle, tab)
    assert (states(battle)["battle"], tab.ending) == ("votable", "ready")
    assert sorted(tab.texts.values()) == ["Because it is.", "Because of **Rayleigh**."]


def test_control_without_its_time_to_live_who_lost_the_network_loses_the_battle(soon, monkeypatch):
    monkeypatch.setattr(presence, "SECONDS", 1)
    monkeypatch.setattr(presence, "SECOND_LOOK_AFTER", 0.1)
    make_models()
    battle = visitors_battle()
    read_for(0.5, battle, Tab())
    assert swept_for(AWAY) == 1


def test_where_redis_is_away_or_empty_nobody_has_left(soon, settings):
    make_models()
    battle = visitors_battle()
    read_for(0.5, battle, Tab())
    there, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:9/0"
    assert swept_for(AWAY + 1) == 0
    settings.REDIS_URL = there
    sync_client().flushdb()
    assert swept_for(AWAY) == 0
    assert states(battle)["battle"] == "answering"


def test_one_look_that_finds_nobody_is_not_enough(soon):
    """Redis stood still for so long that every reader's word ran out; the streams renew it before the second look."""
    make_models()
    battle = visitors_battle()
    presence.note_reader(battle.pk)
    time.sleep(AWAY + 0.2)
    assert presence.left_battles() == []
    presence.note_reader(battle.pk)
    time.sleep(1.2)
    assert presence.left_battles() == []


def test_who_never_had_a_stream_and_who_has_the_answers_cannot_leave(soon):
    """Without scripts nobody reads a stream; and a battle that waits for its vote has its own time."""
    make_models()
    silent = begin(make_person())
    battle = visitors_battle()
    read_for(0.5, battle, Tab())
    answer(battle)
    assert swept_for(AWAY + 2) == 0
    assert (states(silent)["battle"], states(battle)["battle"]) == ("answering", "votable")


def test_a_stream_that_ends_leaves_no_reader_behind(soon):
    make_models()
    battle = votable(person_of_visitor(token=TOKEN, now=timezone.now()))
    follow_once(client_of(), battle, Tab())
    assert sync_client().hgetall(presence.READ) == {}


def test_whoever_waits_behind_a_battle_that_was_left_comes_next(soon):
    make_models(2, endpoint=make_endpoint())
    first = visitors_battle()
    person = make_person()
    second = begin(person)
    assert wait_of(second.pk, person=person).ahead == 1
    read_for(0.3, first, Tab())
    assert swept_for(AWAY + 2) == 1
    assert wait_of(second.pk, person=person).ahead == 0
