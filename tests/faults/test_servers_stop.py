"""The stream's server, the worker or Redis goes in the middle of a text: who reads it has every letter in the end."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from arena import lockstep
from arena.queries.answering import answering_turn
from arena.web import streams
from config.launch.binaries import programs_for
from config.launch.processes import Command, free_port, server_account, start, stop
from config.launch.valkey import ValkeyServer
from inference_workers.models import Completion
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks import sweep_completions
from tests.arena.factories import begin, claimed_turn, finish, make_models
from tests.faults.reading import Tab, follow
from tests.faults.test_reconnect import TOKEN, client_of
from tests.inference_workers.factories import make_endpoint, make_revision
from tests.worker_fixture import REPOSITORY, GenerationWorker, hints_go_to, wait_until, worker_environment

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("empty_redis"),
]

LEFT = " ".join(f"{number} mal blau" for number in range(30))
RIGHT = " ".join(f"{number}次蓝色的天空" for number in range(40))


@pytest.fixture(autouse=True)
def short_holds(monkeypatch):
    monkeypatch.setattr(lockstep, "HOLD", 1.0)


def new_battle():
    make_models()
    return begin(person_of_visitor(token=TOKEN, now=timezone.now()))


def stored(battle) -> dict[str, str]:
    turn = answering_turn(battle.pk, person=battle.assignment.respondent.person)
    assert turn.outcome == "ready"
    return turn.texts


class ByHand:
    """A worker's part: both texts, piece by piece, and their ends."""

    def __init__(self, battle) -> None:
        self.jobs = list(zip(claimed_turn(battle), (LEFT, RIGHT), strict=True))
        self.writer = StreamWriter(sync_client(), pause=0.3)
        for job, _ in self.jobs:
            self.writer.begin(job.pk, job.attempt)

    def write(self, numbers: range, *, of: int = 30, pause: float = 0.0) -> None:
        for number in numbers:
            for job, text in self.jobs:
                size = -(-len(text) // of)
                self.writer.add(job.pk, text[number * size : (number + 1) * size])
            self.writer.flush(now=True)
            time.sleep(pause)

    def end(self) -> None:
        for _ in range(20):
            self.writer.flush(now=True)
            time.sleep(0.05)
        for job, text in self.jobs:
            finish(job, text)


# -- the server of the streams


@contextmanager
def stream_server(port: int, log: Path) -> Iterator[Popen[bytes]]:
    command = [sys.executable, "-m", "tests.faults.stream_server", str(port)]
    environment = worker_environment() | {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
    process = start(Command(command, log=log, directory=REPOSITORY, environment=environment))
    try:
        wait_until(lambda: answers(port), 60, what=log.read_text)
        yield process
    finally:
        stop(process, [signal.SIGTERM], 10)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/streams/none").status_code == 404
    except httpx.TransportError:
        return False


def read_over_http(port: int, battle, tab: Tab, *, when_shown: int, then: Callable[[], None]) -> None:
    """Read until the server closes, and act once so many characters are there."""
    headers = {"Cookie": client_of().cookies.output(header="", sep=";").strip()}
    if tab.last_id:
        headers["Last-Event-ID"] = tab.last_id
    tab.connect()
    acted = False
    try:
        with httpx.stream(
            "GET", f"http://127.0.0.1:{port}/streams/battles/{battle.pk}", headers=headers, timeout=20
        ) as response:
            for chunk in response.iter_text():
                tab.take(chunk)
                if not acted and len(tab.texts["a"]) >= when_shown:
                    acted = True
                    then()
    except httpx.RemoteProtocolError:
        assert acted, "the server closed before it was told to"


def read_through_a_restart(tmp_path: Path, tab: Tab, *, keeps_id: bool = True):
    """One battle's stream; its server is told to stop in the middle, and another takes its place."""
    battle = new_battle()
    worker = ByHand(battle)
    worker.write(range(30))
    port = free_port()
    with stream_server(port, tmp_path / "first.log") as server:
        read_over_http(port, battle, tab, when_shown=60, then=lambda: os.kill(server.pid, signal.SIGTERM))
        server.wait(10)
    worker.end()
    assert not tab.is_over
    tab.last_id = tab.last_id if keeps_id else ""
    with stream_server(port, tmp_path / "second.log"):
        read_over_http(port, battle, tab, when_shown=10**6, then=lambda: None)
    return battle


def test_a_stream_whose_server_was_told_to_stop_goes_on_at_another(tmp_path):
    tab = Tab()
    battle = read_through_a_restart(tmp_path, tab)
    print(f"faults injected: 1, pieces: {tab.events.count('text')}")
    assert (tab.texts, tab.ending, "restart" in tab.events) == (stored(battle), "ready", False)


def test_control_without_the_id_the_other_server_sends_everything_again(tmp_path):
    tab = Tab()
    battle = read_through_a_restart(tmp_path, tab, keeps_id=False)
    assert all(
        tab.texts[side].endswith(text) and len(tab.texts[side]) > len(text) for side, text in stored(battle).items()
    )


# -- the worker


@pytest.mark.worker
def test_a_worker_that_was_told_to_stop_leaves_a_text_that_the_next_begins_again(session_worker, tmp_path, monkeypatch):
    monkeypatch.setattr(lockstep, "RESERVE", 0.1)  # shown early, told to stop early: most of it is not written yet
    session_worker.wait_until_up()
    with session_worker.standing_still(), hints_go_to("generation"):
        workers = [GenerationWorker(tmp_path / name, program="tests.faults.impatient_worker") for name in "ab"]
        for worker in workers:
            worker.log.parent.mkdir()
        try:
            battle, tab = read_through_workers(workers)
        finally:
            for worker in workers:
                worker.stop()
    attempts = list(Completion.objects.values_list("attempt", flat=True))
    print(f"faults injected: 1, attempts: {attempts}, restarts seen: {tab.events.count('restart')}")
    assert max(attempts) == 2
    assert (tab.texts, tab.ending) == (stored(battle), "ready")
    # Something had been shown, and it is not there twice.
    assert "restart" in tab.events


def read_through_workers(workers: list[GenerationWorker]):
    first, second = workers
    first.start().wait_until_up()
    endpoint = make_endpoint(capacity=8)
    for words in (100, 110):
        make_revision(endpoint=endpoint, provider_model=f"words={words},pace=0.1")
    battle = begin(person_of_visitor(token=TOKEN, now=timezone.now()))
    tab = Tab()

    async def run() -> None:
        reading = asyncio.create_task(follow(client_of(), battle, tab))
        while len(tab.texts["a"]) < 30:
            await asyncio.sleep(0.1)
        await asyncio.to_thread(first.terminate, 20)
        second.start()
        while not reading.done():
            await asyncio.to_thread(swept)
            await asyncio.sleep(1)
        await reading

    asyncio.run(run())
    return battle, tab


def swept() -> None:
    try:
        sweep_completions()
    finally:
        connection.close()


# -- Redis


@pytest.fixture
def own_redis(tmp_path, settings):
    """A Redis of this test's own, which may go."""
    account = server_account(tmp_path)
    programs = programs_for(account, REPOSITORY / ".cardinal")
    server = ValkeyServer(programs.valkey, tmp_path / "redis.log", account, port=free_port())
    server.start()
    settings.REDIS_URL = server.url()
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": server.url()}}
    yield server
    server.stop()


def stops_and_starts_empty(server) -> None:
    server.stop()
    time.sleep(2.5)
    server.start()


def stands_still(server) -> None:
    os.kill(server.process.pid, signal.SIGSTOP)
    time.sleep(3.5)
    os.kill(server.process.pid, signal.SIGCONT)


@pytest.mark.parametrize("goes", [stops_and_starts_empty, stands_still])
def test_who_reads_while_redis_is_away_for_seconds_has_every_letter(own_redis, goes, monkeypatch):
    monkeypatch.setattr(streams, "LOOK_AFTER", 1.0)
    tab, texts = read_while_redis_goes(own_redis, goes)
    print(f"faults injected: 1, events: {tab.events}")
    assert (tab.texts, tab.ending) == (texts, "ready")


def read_while_redis_goes(server, goes):
    battle, tab = new_battle(), Tab()
    worker = ByHand(battle)

    def work() -> None:
        try:
            worker.write(range(25), of=25, pause=0.2)
            worker.end()
        finally:
            connection.close()

    async def run() -> None:
        reading = asyncio.create_task(follow(client_of(), battle, tab))
        working = asyncio.create_task(asyncio.to_thread(work))
        while len(tab.texts["a"]) < 30:
            await asyncio.sleep(0.1)
        await asyncio.to_thread(goes, server)
        await working
        await reading

    asyncio.run(run())
    return tab, stored(battle)


def test_control_a_stream_that_joins_what_comes_after_a_gap_has_another_text(own_redis, monkeypatch):
    """Redis forgot what was not read yet. Without the look at the numbers, and at the rows, a hole stays."""
    monkeypatch.setattr(streams, "follows", lambda entry, cursor: True)
    monkeypatch.setattr(streams.Shown, "is_beginning_of", lambda self, lockstep: True)
    tab, texts = read_after_a_gap(monkeypatch)
    assert tab.texts != texts


def test_who_comes_after_redis_forgot_the_beginning_reads_the_whole_text(own_redis, monkeypatch):
    tab, texts = read_after_a_gap(monkeypatch)
    assert tab.texts == texts


def read_after_a_gap(monkeypatch):
    monkeypatch.setattr(lockstep, "RESERVE", 0.1)
    battle, tab = new_battle(), Tab()
    worker = ByHand(battle)
    worker.write(range(10))
    sync_client().flushdb()
    worker.write(range(10, 30))

    async def run() -> None:
        reading = asyncio.create_task(follow(client_of(), battle, tab))
        await asyncio.sleep(2)
        await asyncio.to_thread(ended, worker)
        await reading

    asyncio.run(run())
    return tab, stored(battle)


def ended(worker: ByHand) -> None:
    try:
        worker.end()
    finally:
        connection.close()
