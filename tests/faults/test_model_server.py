"""A model server that misbehaves in every way we could think of, through a real worker, battles and their streams: each
battle ends soon, in little memory, whole or void and never half, and its visitor never reads who was asked."""

import asyncio
import itertools
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.db.models import Count, F, Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from arena.models import Battle
from arena.queries.answering import answering_turn
from arena.use_cases import end_unanswered
from arena.use_cases import settle_completion as settling
from arena.use_cases.stop_battle import stop_battle
from arena.use_cases.sweep_battles import sweep_battles
from arena.web.visitors import COOKIE
from inference_workers.engine import openai_stream
from inference_workers.enums import Backend
from inference_workers.models import Completion, LanguageModel
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks import sweep_completions
from inference_workers.tasks.backends import Backends
from inference_workers.tasks.pump import Pump
from tests.arena.factories import begin, let_open, make_arena
from tests.faults.model_server import ANSWER, BEHAVIOURS, CANARY, ODD_BUT_WHOLE, ModelServer
from tests.faults.reading import Tab, follow
from tests.inference_workers.factories import make_endpoint, make_revision
from tests.worker_fixture import MODEL_SERVER, GenerationWorker, hints_go_to, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.usefixtures("empty_redis"),
]

# A visitor's battle asks three times, and three times more for the one that takes its place.
ENDPOINT_SECONDS = 2
ALL_DONE_WITHIN = 60.0
# What one answer may be on the wire, twice: what stands in the sockets comes on top.
MOST_SENT_PER_REQUEST = 16_000_000
MOST_MEMORY = 64_000_000


@dataclass
class Asked:
    """A battle of one misbehaving model against a sound one, and who reads it."""

    behaviour: str
    battle: Battle
    client: Client
    tab: Tab


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(MODEL_SERVER) as server:
        yield server


numbers = itertools.count(1)


def model_of(server: ModelServer, behaviour: str, *, seconds: int = ENDPOINT_SECONDS) -> LanguageModel:
    """Each has an endpoint of its own, as if each were another vendor's."""
    number = next(numbers)
    endpoint = make_endpoint(backend=Backend.OPENAI, base_url=server.base_url, capacity=4, timeout_seconds=seconds)
    model = {"name": f"{CANARY} {number}", "slug": f"canaryvendor-{number}", "organisation": CANARY}
    return make_revision(
        endpoint=endpoint, model=model, provider_model=f"{CANARY}/{behaviour}", max_tokens=60
    ).language_model


def start_all(server: ModelServer, behaviours: list[str], **limits: int) -> list[Asked]:
    arena = make_arena()
    arena.max_waiting = 1000
    arena.save()
    sound = model_of(server, "sound")
    started = []
    for behaviour in behaviours:
        LanguageModel.objects.exclude(pk=sound.pk).update(weight=0)
        model_of(server, behaviour, **limits)
        token = f"reader-of-{behaviour:_<20}"[:60]
        battle = begin(person_of_visitor(token=token, now=timezone.now()))
        client = Client()
        client.cookies[COOKIE] = token
        started.append(Asked(behaviour, battle, client, Tab()))
    return started


def half_votable() -> int:
    """Battles that could be voted on although some answer is not there."""
    there = Count("item__responses", filter=Q(item__responses__turns__completion__state="succeeded"), distinct=True)
    wanted = Count("item__responses", distinct=True)
    counted = Battle.objects.filter(state__in=["votable", "voted"]).annotate(there=there, wanted=wanted)
    return counted.exclude(there=F("wanted")).count()


def sweep() -> int:
    """What the default worker does every five seconds."""
    try:
        sweep_completions()
        sweep_battles(now=timezone.now())
        return half_votable()
    finally:
        connection.close()


def read_all(asked: list[Asked]) -> tuple[dict[str, float], int]:
    """Read every battle's stream to its end; how long each took, and how many half battles could ever be voted on."""
    seconds: dict[str, float] = {}
    halves = 0

    async def read(each: Asked) -> None:
        begun = time.monotonic()
        await follow(each.client, each.battle, each.tab)
        seconds[each.behaviour] = time.monotonic() - begun

    async def watch() -> None:
        nonlocal halves
        while True:
            halves = max(halves, await sync_to_async(sweep, thread_sensitive=False)())
            await asyncio.sleep(0.5)

    async def run() -> None:
        watching = asyncio.create_task(watch())
        await asyncio.wait_for(asyncio.gather(*(read(each) for each in asked)), ALL_DONE_WITHIN)
        watching.cancel()

    asyncio.run(run())
    return seconds, halves


def pages_of(each: Asked) -> str:
    """What its pages say, headers and cookies included."""
    answers = [each.client.get(reverse(name, args=[each.battle.pk])) for name in ("battle", "battle-waiting")]
    return "\n".join(f"{a.content.decode()} {dict(a.headers)} {a.cookies.output()}" for a in answers)


class Memory:
    """The most memory that a process has held since `begin`."""

    def __init__(self, process: int) -> None:
        self.process = process
        Path(f"/proc/{process}/clear_refs").write_text("5")
        self.begun = self._peak()

    def grown(self) -> int:
        return self._peak() - self.begun

    def _peak(self) -> int:
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024


def test_whatever_a_model_server_does_battles_end_whole_or_void_and_never_name_it(generation_worker, server, caplog):
    caplog.set_level(logging.INFO)
    (first,) = start_all(server, ["sound"])
    read_all([first])
    memory = Memory(generation_worker.children[0])
    asked = start_all(server, sorted(BEHAVIOURS))
    seconds, halves = read_all(asked)
    grown = memory.grown()
    states = {each.behaviour: Battle.objects.get(pk=each.battle.pk).state for each in asked}
    requests = server.asked.total()
    print(
        f"faults injected: {len(asked) - len(ODD_BUT_WHOLE)} kinds in {requests} requests, battles: {len(asked)}, "
        f"slowest: {max(seconds.values()):.1f} s, memory: {grown / 1e6:.0f} MB, {states}"
    )
    assert len(BEHAVIOURS) >= 25
    assert states == {name: "votable" if name in ODD_BUT_WHOLE else "void" for name in BEHAVIOURS}
    assert {each.behaviour: each.tab.ending for each in asked} == {
        name: "ready" if name in ODD_BUT_WHOLE else "void" for name in BEHAVIOURS
    }
    assert halves == 0
    assert all(each.tab.texts == {"a": ANSWER, "b": ANSWER} for each in asked if each.behaviour in ODD_BUT_WHOLE)
    assert all(
        server.sent[f"{CANARY}/{name}"] <= MOST_SENT_PER_REQUEST * server.asked[f"{CANARY}/{name}"]
        for name in BEHAVIOURS
    )
    assert grown < MOST_MEMORY
    seen = {f"{each.behaviour}'s {what}" for each in asked for what in named_in(each)}
    assert seen == set()
    messages = Completion.objects.values_list("error_message", flat=True)
    assert not [message for message in messages if CANARY.lower() in message.lower()]
    logged = generation_worker.log.read_text(errors="replace") + caplog.text
    assert CANARY.lower() not in logged.lower()


def named_in(each: Asked) -> list[str]:
    said = {"page": pages_of(each), "stream": "".join(each.tab.received)}
    return [what for what, text in said.items() if CANARY.lower() in text.lower()]


DRIP = f"{CANARY}/drip"


def stopped_while_it_drips(server: ModelServer) -> Battle:
    """A battle that its visitor stops while a model writes that would go on for a minute."""
    (asked,) = start_all(server, ["drip"], seconds=60)
    wait_until(lambda: server.sent[DRIP] > 500, 30)
    assert server.hung_up[DRIP] == 0
    person = asked.battle.assignment.respondent.person
    return stop_battle(battle_id=asked.battle.pk, turn_count=1, person=person, now=timezone.now())


def test_a_stop_hangs_up_on_the_model_within_a_second_or_so(generation_worker, server):
    stopped_while_it_drips(server)
    begun = time.monotonic()
    wait_until(lambda: server.hung_up[DRIP], 5)
    print(f"hung up after {time.monotonic() - begun:.1f} s")


def test_control_a_stop_that_cancels_nothing_lets_the_model_write_on(generation_worker, server, monkeypatch):
    monkeypatch.setattr(end_unanswered, "cancel_completion", lambda completion_id: True)
    stopped_while_it_drips(server)
    before = server.sent[DRIP]
    time.sleep(3)
    assert (server.hung_up[DRIP], server.sent[DRIP] > before) == (0, True)


def pump_here(*, until: float = 30.0) -> None:
    """A worker's part in this process, where guards can be taken away."""
    Pump(backends=Backends(), writer=StreamWriter(sync_client()), lease=timedelta(seconds=30), rest_seconds=until).run()
    let_open()


@pytest.fixture
def may_be_called(settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ["{}:{}".format(*MODEL_SERVER)]


def test_control_a_battle_that_opens_with_one_answer_is_half(server, may_be_called, monkeypatch):
    def open_at_once(battle, completion_id, now):
        if Completion.objects.get(pk=completion_id).state == "succeeded":
            settling._open_for_vote(battle, now)

    monkeypatch.setattr(settling, "_settle", open_at_once)
    start_all(server, ["status_500"])
    pump_here()
    assert half_votable() == 1


def test_control_an_error_that_is_passed_on_names_the_provider(server, may_be_called, monkeypatch):
    """The same look at what is stored, and at the page that would show it, finds the name."""

    def passed_on(error):
        return openai_stream.failure(openai_stream.ErrorCode.ENDPOINT_STATUS, str(error.body))

    monkeypatch.setattr(openai_stream, "_status_fault", passed_on)
    (asked,) = start_all(server, ["status_500"])
    pump_here()
    assert Battle.objects.get().state == "void"
    message = Completion.objects.filter(state="failed").values_list("error_message", flat=True)[0]
    assert CANARY in message
    turn = answering_turn(asked.battle.pk, person=asked.battle.assignment.respondent.person)
    asked.tab.received.append(f"{turn.outcome} {message}")
    assert named_in(asked) == ["stream"]


@pytest.fixture
def unguarded_worker(session_worker: GenerationWorker, tmp_path: Path) -> Iterator[GenerationWorker]:
    """A worker that reads whatever comes, on the usual queue; the other one keeps still."""
    session_worker.wait_until_up()
    with session_worker.standing_still():
        worker = GenerationWorker(tmp_path, program="tests.faults.unguarded_worker")
        worker.start().wait_until_up()
        yield worker
        worker.stop()


def test_control_without_its_limits_the_worker_takes_much_more_memory(unguarded_worker, server):
    with hints_go_to("generation"):
        (first,) = start_all(server, ["sound"])
        read_all([first])
        memory = Memory(unguarded_worker.children[0])
        start_all(server, ["packed_bomb"])
        wait_until(lambda: memory.grown() > MOST_MEMORY, 30, what=lambda: f"{memory.grown() / 1e6:.0f} MB")
    print(f"without limits: more than {memory.grown() / 1e6:.0f} MB")
