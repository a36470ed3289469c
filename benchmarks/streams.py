"""Readers of battles that are being answered: how late text comes beside a bare stream, and what a reader costs.

Each reader has a battle of its own, whose two models write 20 tokens per second each. Visitors vote meanwhile, at set
times, whether or not the vote before has been answered. The stream server is a process of its own, and so is the bare
one, which sends pieces of the same size at the same times and knows nothing; writers and voters go on beside both.

Text is shown later than it is written on purpose, at a common pace. Late is what comes after its place in that pace:
where a stream began is told by the least delayed of its events. Readers and writer are processes of their own, too.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Turn
from arena.models import Arena
from arena.web.visitors import COOKIE
from benchmarks import bare_stream
from benchmarks.rows import Row
from benchmarks.votes import BallotPaper, answer, cpu_of, make_ballot, quiet_log
from config.launch.processes import free_port
from inference_workers.models import Completion
from inference_workers.streams import sync_client
from tests.arena.factories import begin, make_arena, make_models, votable

TOKEN = "reader-of-the-benchmark-{}"
TOKENS_PER_SECOND = 20
# Of four characters: the models write 80 per second, and their slower days make the common pace 60.
WORD = "and "
PACE = bare_stream.PIECE / bare_stream.TICK
VOTES_PER_SECOND = 5
STARTING_SECONDS = 60.0
SERVERS = {"ours": "config.asgi:streams", "bare": "benchmarks.bare_stream:application"}


@dataclass(frozen=True)
class Reader:
    token: str
    battle_id: UUID


@dataclass
class Measured:
    """Of one server under so many readers: lateness of every event in seconds, and processor time of the server."""

    late: list[float] = field(default_factory=list)
    cpu_ms: float = 0.0
    votes: list[float] = field(default_factory=list)
    silent: int = 0

    @property
    def p99_ms(self) -> float:
        return 1000 * float(np.quantile(self.late, 0.99))


def run(quick: bool) -> list[Row]:
    sizes, seconds = ((100,), 20.0) if quick else ((100, 300), 40.0)
    rows = []
    with quiet_log():
        prepare()
        # Before anybody waits: whose models answer at once is claimed from the head of the queue.
        ballots = [make_ballot() for _ in range(len(sizes) * len(SERVERS) * int(VOTES_PER_SECOND * (seconds + 2)))]
        for size in sizes:
            readers = [make_reader(number) for number in range(size)]
            found = {name: measure(name, readers, seconds, ballots) for name in SERVERS}
            rows += rows_of(size, found["ours"], found["bare"])
    return rows


def rows_of(size: int, ours: Measured, bare: Measured) -> list[Row]:
    streams, note = f"{size} streams", f"({len(ours.late)} events, {VOTES_PER_SECOND} votes a second beside)"
    rows = [
        Row("streams that fell silent", streams, ours.silent, "streams", bare.silent),
        Row("lateness p99", streams, ours.p99_ms, "ms", bare.p99_ms, note),
        Row("added lateness p99", streams, ours.p99_ms - bare.p99_ms, "ms"),
        Row("votes beside, p99", streams, 1000 * float(np.quantile(ours.votes, 0.99)), "ms"),
    ]
    if Path("/proc/self/stat").exists():
        rows.append(Row("processor time of a stream", streams, ours.cpu_ms, "ms per second", bare.cpu_ms))
    else:
        print(f"processor time of a stream, {streams}: not run, there is no /proc here")
    return rows


# -- the world


def prepare() -> None:
    """Two models that have answered three times each, so that the arena knows how fast they are."""
    make_models(2)
    arena = make_arena()
    Arena.objects.filter(pk=arena.pk).update(max_waiting=1_000_000)
    for _ in range(3):
        votable()
    Completion.objects.update(completion_tokens=200, first_token_seconds=1.0, total_seconds=11.0)


def make_reader(number: int) -> Reader:
    token = TOKEN.format(f"{number:06}-{time.monotonic_ns()}")
    return Reader(token, begin(person_of_visitor(token=token, now=timezone.now())).pk)


def measure(name: str, readers: Sequence[Reader], seconds: float, ballots: list[BallotPaper]) -> Measured:
    """Everything begins anew for each server: battles are written from their beginning."""
    sync_client().flushdb()
    turns = Turn.objects.filter(response__item__battle__in=[each.battle_id for each in readers])
    completions = list(turns.values_list("completion_id", flat=True))
    measured = Measured()
    with serving(SERVERS[name]) as (process, port):
        read(port, readers[:1], 1.0)  # the server's own first answer is not measured
        with writing(completions), beside(lambda stop: vote(ballots, measured.votes, stop)):
            before = cpu_of(process)
            found = read(port, readers, seconds)
            measured.cpu_ms = 1000 * (cpu_of(process) - before) / seconds / len(readers)
    measured.late, measured.silent = found["late"], found["silent"]
    return measured


def read(port: int, readers: Sequence[Reader], seconds: float) -> dict[str, Any]:
    """What a process of its own says of these streams."""
    asked = [[f"/streams/battles/{each.battle_id}", f"{COOKIE}={each.token}"] for each in readers]
    given = json.dumps({"port": port, "seconds": seconds, "pace": PACE, "readers": asked})
    line = [sys.executable, "-m", "benchmarks.stream_readers"]
    done = subprocess.run(line, input=given, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@contextmanager
def serving(application: str) -> Iterator[tuple[Path, int]]:
    port = free_port()
    line = [sys.executable, "-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*line, "--no-access-log", "--log-level", "warning"], env=os.environ)
    try:
        wait_for(port, process)
        yield Path("/proc") / str(process.pid), port
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + STARTING_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise RuntimeError("the stream server did not start")


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    stop, faults = threading.Event(), []

    def act() -> None:
        try:
            work(stop)
        except Exception as fault:  # noqa: BLE001  (told where the benchmark can see it)
            faults.append(fault)
        finally:
            connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if faults:
        raise faults[0]


@contextmanager
def writing(completions: Sequence[UUID]) -> Iterator[None]:
    asked = {"completions": list(map(str, completions)), "word": WORD, "tokens_per_second": TOKENS_PER_SECOND}
    line = [sys.executable, "-m", "benchmarks.stream_writer"]
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdin.write(json.dumps(asked) + "\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        process.stdout.readline()  # type: ignore[union-attr]
        yield
    finally:
        process.communicate()
    if process.returncode:
        raise RuntimeError("the writer ended early")


def vote(ballots: list[BallotPaper], passed: list[float], stop: threading.Event) -> None:
    """At set times: a vote that waits for the one before it is as late as its visitor would find it."""
    handler = WSGIHandler()
    answer(handler, ballots.pop().request())  # a handler's first answer is not measured
    begun, number = time.monotonic(), 0
    while ballots:
        due = begun + number / VOTES_PER_SECOND
        if stop.wait(max(0.0, due - time.monotonic())):
            return
        status, number = answer(handler, ballots.pop().request()), number + 1
        if status != 302:
            raise RuntimeError(f"a vote was answered {status}")
        passed.append(time.monotonic() - due)
