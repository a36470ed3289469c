"""The stream itself keeps to the lockstep's times, and believes no reader who claims to have come far."""

import asyncio
import threading
import time
from itertools import pairwise

import pytest
from django.core.cache import cache
from django.test import Client

from arena.lockstep import TICK, UNKNOWN, Lockstep, Speed, Tempo
from arena.queries.tempo import common_tempo, speeds
from arena.web import streams
from arena.web.shown import parse_resume
from arena.web.streams import application
from inference_workers.models import Completion
from inference_workers.streams import StreamWriter, sync_client
from tests.arena.factories import answer, begin, claimed_turn, make_arena, make_models
from tests.arena.test_blindness import begin_in_browser

pytestmark = pytest.mark.django_db(transaction=True)

STEP = round(UNKNOWN.pace * TICK)


@pytest.fixture(autouse=True)
def empty():
    sync_client().flushdb()
    cache.clear()


@pytest.fixture
def client() -> Client:
    make_models()
    make_arena()
    return Client()


@pytest.fixture
def battle(client):
    return begin_in_browser(client)


def write(battle, *, characters: int, pieces: int, seconds: float) -> None:
    """As a worker does it."""
    completions = claimed_turn(battle)
    writer = StreamWriter(sync_client(), interval=0.0)

    def work() -> None:
        for completion in completions:
            writer.begin(completion.pk, 1)
        for _ in range(pieces):
            for completion in completions:
                writer.add(completion.pk, "x" * (characters // pieces))
            writer.flush(now=True)
            time.sleep(seconds / pieces)

    thread = threading.Thread(target=work)
    thread.start()
    if not seconds:
        thread.join()


def read(
    client: Client, battle, *, events: int, of: str = "text", last_event_id: str = "", most: float = 30.0
) -> list[tuple[float, int]]:
    """When the first events of a kind come, in seconds, and up to which character each goes; TimeoutError where there
    are fewer after `most` seconds."""
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [(b"cookie", cookie.encode()), (b"last-event-id", last_event_id.encode())]
    scope = {"type": "http", "method": "GET", "path": f"/streams/battles/{battle.pk}", "headers": headers}
    found: list[tuple[float, int]] = []

    async def run() -> None:
        stop, begun = asyncio.Event(), time.monotonic()

        async def receive():
            await stop.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            body = message.get("body", b"").decode()
            if f"event: {of}" in body:
                found.append((time.monotonic() - begun, int(body.split("\n")[0].split(".")[1])))
            if len(found) >= events:
                stop.set()

        await asyncio.wait_for(application(scope, receive, send), most)

    asyncio.run(run())
    return found[:events]


def test_text_goes_out_once_per_tick_however_often_it_comes_in(client, battle):
    write(battle, characters=3000, pieces=200, seconds=2.0)
    events = read(client, battle, events=15)
    assert events[-1][0] - events[0][0] >= 13 * TICK
    # A machine that was busy for a while sends several steps at once, never a part of one.
    assert {(later - earlier) % STEP for (_, earlier), (_, later) in pairwise(events)} == {0}


def test_control_a_release_at_every_piece_goes_out_when_text_comes_in(client, battle, monkeypatch):
    def release(self, now):
        self.clock, before = now, int(self.position)
        self.position = self.released = min(len(side.text) for side in self.sides.values())
        return {name: side.text[before:] for name, side in self.sides.items() if side.text[before:]}

    monkeypatch.setattr(Lockstep, "release", release)
    monkeypatch.setattr(Lockstep, "seconds_to_tick", lambda self, now: (self.clock or 0.0) + 0.02 - now)
    write(battle, characters=3100, pieces=100, seconds=2.0)
    events = read(client, battle, events=3)
    assert {(later - earlier) % STEP for (_, earlier), (_, later) in pairwise(events)} != {0}


@pytest.fixture
def waits_for_a_claim(monkeypatch) -> float:
    """Long enough for a busy machine to be told from it."""
    monkeypatch.setattr(streams, "RECOGNIZED_WITHIN", 3.0)
    return 3.0


def test_a_reader_who_claims_to_have_come_far_begins_anew_however_far_the_models_are(client, battle, waits_for_a_claim):
    ((seconds, _),) = read(client, battle, events=1, of="restart", last_event_id="0.2500.x")
    assert seconds < waits_for_a_claim


def test_control_believed_it_would_learn_whether_both_models_have_come_so_far(
    client, battle, waits_for_a_claim, monkeypatch
):
    monkeypatch.setattr(streams, "parse_resume", lambda value, turn, furthest: parse_resume(value, turn, 10**9))
    ((seconds, _),) = read(client, battle, events=1, of="restart", last_event_id="0.2500.x")
    assert seconds >= waits_for_a_claim


def test_the_pace_of_all_battles_is_that_of_the_arenas_slowest_model(client):
    for _ in range(3):
        answer(begin(), ("Because.", "Because it is."))
    arena = make_arena()
    # What answers in a few tokens, or has answered twice, says nothing of its speed.
    assert speeds(arena.pk) == []
    by_revision: dict[int, list[Completion]] = {}
    for each in Completion.objects.all():
        by_revision.setdefault(each.revision_id, []).append(each)
    for rate, completions in zip((100, 20), by_revision.values(), strict=True):
        ids = [each.pk for each in completions]
        Completion.objects.filter(pk__in=ids).update(
            completion_tokens=200, first_token_seconds=1.0, total_seconds=1.0 + 200 / rate
        )
    assert sorted(speeds(arena.pk), key=lambda each: each.tokens_per_second) == [Speed(1.0, 20), Speed(1.0, 100)]
    cache.clear()
    assert common_tempo(arena.pk) == Tempo(60, 3.0)
