"""A full vote against a bare view that inserts one row: same process, same handler, same middleware, same database.

Requests go straight into the WSGI handler, as a server would hand them over, with CSRF and cookies; building them is
not counted. CPU is that of this process and of every process of the database server together (on Linux; elsewhere of
this process alone). A vote's part in numbering the log is in it. Rounds of votes and of bare inserts alternate, so
that the machine's other load is the same for both; a row is the median of its rounds.
"""

import gc
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import _get_new_csrf_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, path, reverse
from django.utils import timezone

from accounts.use_cases.create_person import person_of_visitor
from annotation.forms import JudgmentForm
from annotation.models import Campaign
from annotation.questions import Situation
from annotation.use_cases.next_assignment import next_assignment
from annotation.use_cases.refresh_selection import refresh_selection
from annotation.use_cases.sequence_log import sequence_log
from arena.web.visitors import COOKIE
from benchmarks.rows import Row
from tests.arena.factories import make_models, votable
from tests.factories import PREFERENCE, make_campaign, make_item, make_respondent, new_key

TOKEN = "visitor-of-the-benchmark-{}"
TABLE = "bench_bare_insert"
BARE = "bench/bare"
TICKS = os.sysconf("SC_CLK_TCK")
Environ = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """Of one request."""

    cpu_ms: float
    wall_ms: float


def run(quick: bool) -> list[Row]:
    rounds, size = (3, 30) if quick else (6, 60)
    handler = WSGIHandler()
    make_models(4)
    with quiet_log(), bare_view():
        ballots = [make_ballot() for _ in range(rounds * size * 2 + 12)]
        spend(handler, [ballots.pop().request(htmx=number % 2 == 0) for number in range(10)])
        statements = {kind: count_statements(handler, ballots, htmx=kind == "htmx") for kind in ("form", "htmx")}
        gc.collect()
        gc.freeze()  # what was made for the measurement is not looked through again in the middle of it
        votes, shown, bare = [], [], []
        for _ in range(rounds):
            votes.append(spend(handler, [ballots.pop().request() for _ in range(size)], after=number_the_log))
            bare.append(spend(handler, [bare_request(number) for number in range(size)]))
            shown.append(spend(handler, [ballots.pop().request(htmx=True) for _ in range(size)], after=number_the_log))
        claims = count_claim_statements()
    vote, with_reveal, insert = (middle(each) for each in (votes, shown, bare))
    return [
        Row("vote_fraction_of_bare_view", "form", 1000 / vote.cpu_ms, "per CPU second", 1000 / insert.cpu_ms),
        Row("vote_fraction_of_bare_view", "htmx", 1000 / with_reveal.cpu_ms, "per CPU second", 1000 / insert.cpu_ms),
        Row("vote_cpu_ms", "form", vote.cpu_ms, "ms", insert.cpu_ms),
        Row("vote_cpu_ms", "htmx", with_reveal.cpu_ms, "ms", insert.cpu_ms),
        Row("vote_wall_ms", "form", vote.wall_ms, "ms", insert.wall_ms),
        Row("vote_sql", "form", statements["form"], "statements", 1),
        Row("vote_sql", "htmx", statements["htmx"], "statements", 1),
        Row("claim_sql", "1", claims, "statements"),
    ]


def middle(costs: Sequence[Cost]) -> Cost:
    return Cost(median(cost.cpu_ms for cost in costs), median(cost.wall_ms for cost in costs))


@contextmanager
def quiet_log() -> Iterator[None]:
    """Lines are written as ever, but to nowhere: the table is on the same terminal."""
    with open(os.devnull, "w") as nowhere:
        handlers = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
        before = [each.setStream(nowhere) for each in handlers]
        try:
            yield
        finally:
            for each, stream in zip(handlers, before, strict=True):
                each.setStream(stream)


# -- a vote


numbers = itertools.count(1)


@dataclass(frozen=True)
class BallotPaper:
    """A battle that its visitor can vote on."""

    token: str
    battle_id: UUID
    is_asked_for_worth: bool

    def request(self, *, htmx: bool = False) -> Environ:
        seal = JudgmentForm(
            [], Situation(responses=2, currency=""), subject=f"battle:{self.battle_id}"
        ).rendered_at_seal
        form = {"turn_count": "1", "key": new_key(), "preference": "b", "preference.strength": "2"}
        form |= {"process.rendered_at": seal, "process.first_touch_ms": "900", "process.active_ms": "4000"}
        form |= {"process.device_class": "desktop"}
        if self.is_asked_for_worth:
            form["worth.b"] = "2.50"
        return environ_of(reverse("vote", args=[self.battle_id]), form, cookies={COOKIE: self.token}, htmx=htmx)


def make_ballot() -> BallotPaper:
    token = TOKEN.format(next(numbers))
    battle = votable(person_of_visitor(token=token, now=timezone.now()))
    asked = battle.impression.questions_asked
    return BallotPaper(token, battle.pk, "worth" in asked)


def environ_of(address: str, form: dict[str, str], *, cookies: dict[str, str], htmx: bool = False) -> Environ:
    """What a WSGI server makes of the browser's request."""
    token = _get_new_csrf_string()
    jar = "; ".join(f"{name}={value}" for name, value in {**cookies, "csrftoken": token}.items())
    headers = {"X-CSRFToken": token, "Cookie": jar} | ({"HX-Request": "true"} if htmx else {})
    factory = RequestFactory(headers=headers, SERVER_NAME="localhost")
    request = factory.post(address, urlencode(form), content_type="application/x-www-form-urlencoded")
    environ: Environ = request.environ
    body = environ["wsgi.input"].read()
    return environ | {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}


# -- the bare view


def insert_one(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} (said) VALUES (%s)", [request.POST["said"]])
    return HttpResponse(status=204)


@contextmanager
def bare_view() -> Iterator[None]:
    """A throw-away table of the owner's, which the application may write to, and the address that writes to it."""
    get_resolver().url_patterns.append(path(BARE, insert_one))
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(f"CREATE TABLE {TABLE} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, said text NOT NULL)")
        try:
            yield
        finally:
            owner.execute(f"DROP TABLE {TABLE}")


def bare_request(number: int) -> Environ:
    return environ_of(f"/{BARE}", {"said": f"number {number}"}, cookies={COOKIE: TOKEN.format(number)})


# -- what it costs


def answer(handler: WSGIHandler, environ: Environ) -> int:
    status = ""

    def start_response(line: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
        nonlocal status
        status = line
        return lambda _: None

    response = handler(environ, start_response)
    try:
        for _ in response:
            pass
    finally:
        response.close()
    return int(status.split()[0])


def spend(handler: WSGIHandler, requests: Sequence[Environ], after: Callable[[], object] = lambda: None) -> Cost:
    database = database_processes()
    cpu, wall = cpu_seconds(database), time.perf_counter()
    statuses = [answer(handler, environ) for environ in requests]
    passed = time.perf_counter() - wall
    after()
    used = cpu_seconds(database) - cpu
    if not set(statuses) <= {200, 204, 302, 304}:
        raise RuntimeError(f"a request of the benchmark was answered {sorted(set(statuses))}")
    return Cost(1000 * used / len(requests), 1000 * passed / len(requests))


def number_the_log() -> None:
    sequence_log(now=timezone.now())


def cpu_seconds(database: list[Path]) -> float:
    return sum(cpu_of(each) for each in database) + time.process_time()


def database_processes() -> list[Path]:
    """The server and its children, as Linux lists them."""
    if not Path("/proc/self/stat").exists():
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = Path("/proc") / str(cursor.fetchone()[0])
    server = stat_of(backend)[1]
    found = [each for each in Path("/proc").iterdir() if each.name.isdigit()]
    return [each for each in found if each.name == server or stat_of(each)[1] == server]


def stat_of(process: Path) -> list[str]:
    """The fields behind the process's name, which may hold spaces; empty ones where it has just ended."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return [""] * 50


def cpu_of(process: Path) -> float:
    """User and system time, with that of children that have ended."""
    return sum(int(ticks or 0) for ticks in stat_of(process)[11:15]) / TICKS


# -- statements


def count_statements(handler: WSGIHandler, ballots: list[BallotPaper], *, htmx: bool) -> int:
    """Of a vote that is asked for an amount too, which costs most."""
    ballot = next(each for each in ballots if each.is_asked_for_worth)
    ballots.remove(ballot)
    with CaptureQueriesContext(connection) as captured:
        status = answer(handler, ballot.request(htmx=htmx))
    if status not in (200, 302):
        raise RuntimeError(f"the vote was answered {status}")
    return len(statements_of(captured))


def statements_of(captured: CaptureQueriesContext) -> list[str]:
    """Without the two words around a transaction."""
    return [query["sql"] for query in captured.captured_queries if query["sql"] not in ("BEGIN", "COMMIT")]


def count_claim_statements() -> int:
    """Of being given an item by a policy, its showing written down, in a process that has read the questions before."""
    campaign = make_campaign(questions=[PREFERENCE])
    for _ in range(2):
        make_item(campaign)
    refresh_selection(campaign=campaign, now=timezone.now())
    campaign = Campaign.objects.select_related("instrument").get(pk=campaign.pk)
    first, second = make_respondent(campaign), make_respondent(campaign)
    next_assignment(campaign=campaign, respondent=first, now=timezone.now())
    # A pair whose only item was just taken would be asked for, and cost one more.
    refresh_selection(campaign=campaign, now=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        next_assignment(campaign=campaign, respondent=second, now=timezone.now())
    return len(statements_of(captured))
