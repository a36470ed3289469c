"""Canaries in all that could tell a model, over every address that a visitor can reach, in every state of a battle.

The models answer through a real endpoint, which tells its name in headers, bodies and errors. Pages are looked at with
their headers, their cookies decoded, and what the server keeps of a session. A control for each channel plants a name
in it, and the same look has to find it.
"""

import base64
import binascii
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_httpserver import HTTPServer
from rest_framework.renderers import JSONRenderer
from werkzeug import Response

from accounts.models import Person
from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Assignment
from annotation.use_cases.create_board import create_board
from annotation.use_cases.expire_assignments import expire_assignments
from annotation.use_cases.refresh_board import refresh_board
from arena import queries
from arena.models import Arena, Battle
from arena.use_cases.sweep_battles import sweep_battles
from arena.web import battles, board_page, streams
from arena.web.visitors import COOKIE
from inference_workers.enums import Backend
from inference_workers.models import Completion, Endpoint, LanguageModelRevision
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks.backends import Backends
from inference_workers.tasks.pump import Pump
from tests.architecture.routes import TABLE, TOKEN, World, make_world
from tests.arena.factories import begin, claimed_turn, finish, let_open, make_arena, make_models
from tests.arena.test_blindness import begin_in_browser, read_stream
from tests.inference_workers.engine.test_openai_backend import DONE, PATH, USAGE, chunk

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CANARY = re.compile(r"canary[a-z]+\d*")
TOLD = {"X-Powered-By": "canaryheader", "X-Model": "canarymodelheader", "Server": "canaryserver"}
ERROR = b'{"error": {"message": "canaryerror is overloaded", "type": "canarytype", "param": "canaryparam"}}'
FAILS = "Fail, please."
# Boards, data and pages on which models are chosen name released ones whoever looks; they may not change with who has a
# battle open. A shared
# battle has been voted on, and names its models where its reader unfolds them.
NAMES_ALL = re.compile(
    r"leaderboard|(arenas/<slug:slug>/)?(choose|own-models)|api/v1/boards|datasets/|samples/|shared/<str:token>/models"
)
BY_CHANCE = re.compile(
    r'nonce="[^"]*"|nonce-[\w+/=-]+|csrf\w*" value="\w+"|name="key" value="[^"]*"|"X-CSRFToken": "\w+"'
)


@pytest.fixture
def endpoint(httpserver: HTTPServer, settings) -> HTTPServer:
    """A provider that says who it is wherever it can."""

    def answer(request):
        headers = [("Content-Type", "text/event-stream"), *TOLD.items()]
        if FAILS in request.get_data(as_text=True):
            return Response(ERROR, status=500, headers=headers)
        more = {"model": "canaryanswering", "system_fingerprint": "canaryfingerprint"}
        return Response([chunk("Because", **more), chunk(" so.", "stop", **more), USAGE, DONE], headers=headers)

    settings.OUTBOUND_ALLOWED_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    httpserver.expect_request(f"/canaryaddress{PATH}").respond_with_handler(answer)
    return httpserver


@pytest.fixture
def provider(endpoint, settings, tmp_path, monkeypatch) -> HTTPServer:
    """All models that there are answer through the endpoint once `served_by` was called."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr("inference_workers.policies.retry.VISITOR_RETRY_SECONDS", (0.01, 0.01))
    sync_client().flushdb()
    return endpoint


def served_by(provider: HTTPServer) -> None:
    Endpoint.objects.update(
        backend=Backend.OPENAI, base_url=provider.url_for("/canaryaddress/v1"), extra_body={"user": "canarysent"}
    )
    LanguageModelRevision.objects.update(stop=["canarystop"])


@pytest.fixture
def visitor(provider) -> Person:
    """In an arena with a board."""
    make_models(2)
    arena = make_arena()
    board = create_board(slug="public-board", name="Public", campaign=arena.campaign, now=timezone.now())
    refresh_board(board_id=board.pk, now=timezone.now())
    served_by(provider)
    return person_of_visitor(token=TOKEN, now=timezone.now())


Addresses = list[tuple[str, str]]


@dataclass
class Seen:
    """What reached the browser, by where it was seen."""

    texts: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    # The addresses that neither sent away nor refused the method.
    shows: Addresses = field(default_factory=list)

    def add(self, name: str, text: str) -> None:
        self.texts[name] = text.lower()

    @property
    def leaks(self) -> dict[str, list[str]]:
        found = {name: sorted(set(CANARY.findall(text)) | self._ids_in(text)) for name, text in self.texts.items()}
        return {name: each for name, each in found.items() if each}

    def _ids_in(self, text: str) -> set[str]:
        return {each for each in self.ids if each in text}


def told(response: HttpResponse, client: Client) -> str:
    """Body, headers, cookies as they are and decoded, and the sessions that the server keeps."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    morsels = [*response.cookies.values(), *client.cookies.values()]
    cookies = [morsel.OutputString() for morsel in morsels]
    decoded = [each for morsel in morsels for each in decodings(morsel.value)]
    sessions = [str(each.get_decoded()) for each in Session.objects.all()]
    return " ".join([body.decode("utf-8", "replace"), str(dict(response.headers)), *cookies, *decoded, *sessions])


def decodings(value: str) -> list[str]:
    """What may lie in parts of a signed or encoded value."""
    found = []
    for part in re.split(r"[^\w+/-]", unquote(value)):
        with suppress(binascii.Error, ValueError):
            raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_")
            found.append(raw.decode("utf-8", "replace"))
            with suppress(zlib.error):
                found.append(zlib.decompress(raw).decode("utf-8", "replace"))
    return [unquote(value), *found]


def visitors_client() -> Client:
    client = Client(raise_request_exception=False)
    client.cookies[COOKIE] = TOKEN
    return client


def look_everywhere(world: World, battle: Battle, addresses: Addresses) -> Seen:
    """These addresses, asked by the visitor whose battle it is."""
    client = visitors_client()
    world.values["battle_id", "own", "anonymous"] = str(battle.pk)
    seen = Seen(ids=ids_of(battle))
    for pattern, case in addresses:
        method, _, which = case.partition(" ")
        response = client.generic(method, world.address(pattern, role="anonymous", which=which))
        if response.status_code not in (302, 405):
            seen.shows.append((pattern, case))
        if not NAMES_ALL.match(pattern):
            seen.add(f"{case} {pattern}: {response.status_code}", told(response, client))
    return seen


def ids_of(battle: Battle) -> set[str]:
    """Of the completions; ids of models and revisions are small numbers, which stand everywhere."""
    return set(map(str, Completion.objects.filter(turn__response__item=battle.item).values_list("pk", flat=True)))


def pump() -> None:
    Pump(backends=Backends(), writer=StreamWriter(sync_client()), lease=timedelta(seconds=30), rest_seconds=30.0).run()
    let_open()


def waiting(visitor: Person) -> Battle:
    return begin(visitor)


def answering(visitor: Person) -> Battle:
    """One side is whole, the other is being written."""
    battle = begin(visitor)
    finish(claimed_turn(battle)[0], "I was quicker.")
    return battle


def votable(visitor: Person) -> Battle:
    battle = begin(visitor)
    pump()
    return battle


def void(visitor: Person) -> Battle:
    battle = begin(visitor, prompt=FAILS)
    pump()
    return battle


def abandoned(visitor: Person) -> Battle:
    battle = votable(visitor)
    Assignment.objects.filter(pk=battle.assignment_id).update(lease_expires_at=timezone.now() - timedelta(minutes=1))
    expire_assignments(now=timezone.now())
    sweep_battles(now=timezone.now())
    return battle


# The last one's failures make the endpoint rest.
STATES = {votable: "votable", waiting: "answering", answering: "answering", abandoned: "abandoned", void: "void"}


def test_no_address_names_a_model_in_any_state_of_a_battle(provider):
    """All addresses in the first state; in the others those that show a visitor anything."""
    world = make_world()
    served_by(provider)
    addresses = [(pattern, case) for pattern, cases in TABLE.items() for case in cases]
    leaks, looked_at = {}, 0
    for way, state in STATES.items():
        battle = way(world.persons["anonymous"])
        seen = look_everywhere(world, battle, addresses)
        battle.refresh_from_db()
        assert battle.state == state
        if state in ("votable", "void"):
            until = "ready" if state == "votable" else "void"
            seen.add("stream", read_stream(visitors_client(), battle, until=until))
        looked_at += len(seen.texts)
        leaks |= {f"{way.__name__}: {name}": found for name, found in seen.leaks.items()}
        addresses = seen.shows
    print(f"{looked_at} answers were looked at, of {len(addresses)} addresses in every state")
    assert leaks == {}
    assert len(addresses) > 30


def test_no_refusal_names_a_model(visitor, monkeypatch):
    battle, client = votable(visitor), visitors_client()
    client.get("/")
    address, vote = reverse("battle", args=[battle.pk]), reverse("vote", args=[battle.pk])
    key = client.get(address).context["key"]
    right = {"key": key, "preference": "a", "preference.strength": "1", "worth.a": "", "turn_count": "1"}
    arenas = Arena.objects.all()
    seen, statuses = Seen(ids=ids_of(battle)), []

    def note(response: HttpResponse) -> None:
        statuses.append(response.status_code)
        seen.add(f"{len(statuses)}: {response.status_code}", told(response, client))

    note(client.get(f"{address}x"))
    note(Client().get(address))
    note(client.post(vote, {**right, "turn_count": "7"}))
    note(client.post(vote, {**right, "preference": "canary"[:3]}))
    note(client.post(reverse("follow-up", args=[battle.pk]), {"key": key, "prompt": "x" * 4001}))
    page = {"prompt": "Why?", "key": client.get("/").context["key"]}
    arenas.update(battles_per_day=1)
    note(client.post(reverse("start-battle"), page))
    arenas.update(battles_per_day=1000, max_waiting=0)
    note(client.post(reverse("start-battle"), page))
    names = [*battle.item.responses.values_list("contestant__revision__language_model__name", flat=True)]

    def crash(*args, **kwargs):
        raise RuntimeError(f"no standing of {names}")

    monkeypatch.setattr(queries, "asked_of", crash)
    note(client.get(address))
    note(client.post(vote, right))
    assert statuses == [404, 404, 409, 422, 422, 429, 429, 500, 500]
    assert seen.leaks == {}


def test_boards_are_the_same_whoever_has_a_battle_open(visitor):
    """They name models. What they say may not tell which of them are at work for whom."""
    before, of_strangers = read_boards(visitors_client()), read_boards(Client())
    for way in STATES:
        way(visitor)
        assert (read_boards(visitors_client()), read_boards(Client())) == (before, of_strangers)
    assert any(CANARY.search(text.lower()) for text in before.values())


BOARDS = ("/leaderboard", "/leaderboard/public-board", "/api/v1/boards", "/api/v1/boards/public-board")


def read_boards(client: Client) -> dict[str, str]:
    """Without what is drawn anew for each page."""
    answers = {address: client.get(address) for address in BOARDS}
    assert {each.status_code for each in answers.values()} == {200}
    return {
        address: BY_CHANCE.sub("", response.content.decode() + str(dict(response.headers)))
        for address, response in answers.items()
    }


# -- one control for each channel


@dataclass
class Open:
    """An open battle in a browser, and the name of one of its models."""

    client: Client
    battle: Battle
    name: str

    @property
    def address(self) -> str:
        return reverse("battle", args=[self.battle.pk])

    def leaks(self) -> bool:
        seen = Seen()
        seen.add("page", told(self.client.get(self.address), self.client))
        return bool(seen.leaks)


@pytest.fixture
def opened() -> Open:
    sync_client().flushdb()
    make_models(2)
    make_arena()
    client = Client(raise_request_exception=False)
    battle = begin_in_browser(client)
    found = Open(client, battle, battle.item.responses.first().contestant.name)
    assert not found.leaks()
    return found


def plant(monkeypatch, put) -> None:
    """Let the battle's view do something more to its response."""
    monkeypatch.setattr(battles, "patch_cache_control", lambda response, **kwargs: put(response))


def test_control_a_name_in_a_header_is_found(opened, monkeypatch):
    plant(monkeypatch, lambda response: response.headers.__setitem__("X-Model", opened.name))
    assert opened.leaks()


@pytest.mark.parametrize(
    "encode",
    [
        lambda name: name,
        lambda name: base64.urlsafe_b64encode(name.encode()).decode().rstrip("="),
        lambda name: signing.dumps({"a": name}),
        lambda name: signing.dumps({"a": name * 20}, compress=True),
    ],
    ids=["plain", "base64", "signed", "compressed"],
)
def test_control_a_name_in_a_cookie_is_found_however_it_is_written(opened, monkeypatch, encode):
    plant(monkeypatch, lambda response: response.set_cookie("hint", encode(opened.name)))
    assert opened.leaks()


def test_control_a_name_in_a_session_is_found(opened):
    session = opened.client.session
    session["side_a"] = opened.name
    session.save()
    assert opened.leaks()


def test_control_a_name_in_a_stream_is_found(opened, monkeypatch):
    for completion in claimed_turn(opened.battle):
        finish(completion, "Because.")
    plain = streams.event
    monkeypatch.setattr(streams, "event", lambda name, data, **kw: plain(name, {**data, "from": opened.name}, **kw))
    seen = Seen()
    seen.add("stream", read_stream(opened.client, opened.battle, until="ready"))
    assert seen.leaks


def test_control_a_name_in_the_report_of_a_fault_is_found(opened, monkeypatch, settings):
    """As developers see it."""

    def crash(*args, **kwargs):
        raise RuntimeError(f"no standing of {opened.name}")

    monkeypatch.setattr(queries, "ballot", crash)
    assert not opened.leaks()
    settings.DEBUG = True
    assert opened.leaks()


def test_control_a_board_that_says_who_is_at_work_is_found(visitor, monkeypatch):
    monkeypatch.setattr(board_page, "waiting_models", lambda *which: [f"{Completion.objects.count()} completions"])
    before = read_boards(visitors_client())
    waiting(visitor)
    assert read_boards(visitors_client())["/leaderboard"] != before["/leaderboard"]


def test_control_json_that_says_who_is_at_work_is_found(visitor, monkeypatch):
    plain = JSONRenderer.render
    monkeypatch.setattr(
        JSONRenderer, "render", lambda self, data, *rest: plain(self, [data, Completion.objects.count()], *rest)
    )
    before = read_boards(visitors_client())
    waiting(visitor)
    after = read_boards(visitors_client())
    assert all(after[each] != before[each] for each in BOARDS if each.startswith("/api"))
