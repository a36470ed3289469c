"""Nothing that reaches a browser before the vote names a model: canaries in every field, looked for everywhere."""

import asyncio
import json

import pytest
from django.test import Client
from django.urls import reverse

from arena import queries
from arena.models import Battle
from arena.web.streams import application
from inference_workers.streams import sync_client
from tests.arena.factories import claimed_turn, fail, finish, make_arena, make_models

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_redis():
    sync_client().flushdb()


@pytest.fixture
def canaries():
    make_arena()
    return [canary.lower() for canary in make_models(3)]


def begin_in_browser(client: Client) -> Battle:
    page = client.get("/")
    response = client.post(
        reverse("start-battle"), {"prompt": "Why is the sky blue?", "key": page.context["key"]}, follow=False
    )
    assert response.status_code == 302, response.content
    return Battle.objects.get(pk=response["Location"].rsplit("/", 1)[1])


def everything(response) -> str:
    """Body, headers and cookies of one answer, as one lower-case text."""
    cookies = " ".join(morsel.OutputString() for morsel in response.cookies.values())
    return f"{response.content.decode()} {dict(response.headers)} {cookies}".lower()


def read_stream(client: Client, battle: Battle, *, until: str, headers=()) -> str:
    """What the battle's stream sends until an event of that name, with its headers."""
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/streams/battles/{battle.pk}",
        "headers": [(b"cookie", cookie.encode()), *headers],
    }
    sent: list[str] = []

    async def run() -> None:
        stop = asyncio.Event()

        async def receive():
            await stop.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(str(message.get("headers", "")) + message.get("body", b"").decode())
            if f"event: {until}" in sent[-1]:
                stop.set()

        await asyncio.wait_for(application(scope, receive, send), 20)

    asyncio.run(run())
    return "".join(sent)


def test_no_page_stream_header_or_cookie_names_a_model_before_the_vote(canaries):
    client = Client()
    battle = begin_in_browser(client)
    address = reverse("battle", args=[battle.pk])
    seen = [everything(client.get(address)), everything(client.get(address, HTTP_HX_REQUEST="true"))]
    seen.append(everything(client.get(reverse("battle-waiting", args=[battle.pk]))))
    for completion in claimed_turn(battle):
        finish(completion, "Because of scattering.")
    seen.append(read_stream(client, battle, until="ready").lower())
    seen += [everything(client.get(address)), everything(client.get("/")), everything(client.get("/workers"))]
    seen.append(everything(client.post(reverse("vote", args=[battle.pk]), {"turn_count": 1})))
    found = {canary for canary in canaries for text in seen if canary in text}
    assert found == set()
    ids = {str(c.pk) for r in battle.item.responses.all() for c in [r.turns.get().completion]}
    assert not any(each in text for each in ids for text in seen)


def test_control_a_context_that_holds_the_model_is_caught(canaries, monkeypatch):
    """The same look finds the name once a query lets it through."""
    client = Client()
    battle = begin_in_browser(client)
    for completion in claimed_turn(battle):
        finish(completion, "Because.")
    name = battle.item.responses.first().contestant.name
    blind = queries.ballot

    def leaky(battle_id, *, person):
        found = blind(battle_id, person=person)
        object.__setattr__(found.exchanges[0], "prompt", name)
        return found

    monkeypatch.setattr(queries, "ballot", leaky)
    text = everything(client.get(reverse("battle", args=[battle.pk])))
    assert any(canary in text for canary in canaries)


def test_both_sides_are_revealed_after_the_vote(canaries):
    client = Client()
    battle = begin_in_browser(client)
    for completion in claimed_turn(battle):
        finish(completion, "Because.")
    page = client.get(reverse("battle", args=[battle.pk]))
    response = client.post(
        reverse("vote", args=[battle.pk]),
        {"turn_count": 1, "key": page.context["key"], "preference": "a", "preference.strength": "1"},
        follow=True,
    )
    text = everything(response)
    names = [r.contestant.name.lower() for r in battle.item.responses.all()]
    assert all(name in text for name in names)


def test_one_finished_side_is_not_shown_while_the_other_is_written(canaries):
    client = Client()
    battle = begin_in_browser(client)
    first, _second = claimed_turn(battle)
    finish(first, "I was quicker.")
    assert "I was quicker." not in client.get(reverse("battle", args=[battle.pk])).content.decode()


def test_the_stream_sends_both_texts_and_says_when_they_are_whole(canaries):
    client = Client()
    battle = begin_in_browser(client)
    texts = {}
    for completion, text in zip(claimed_turn(battle), ("Left text.", "Right text."), strict=True):
        finish(completion, text)
        texts[completion.turns.get().response.position] = text
    stream = read_stream(client, battle, until="ready")
    said = {"a": "", "b": ""}
    for line in stream.splitlines():
        if line.startswith("data: ") and ("a" in json.loads(line[6:]) or "b" in json.loads(line[6:])):
            for side, text in json.loads(line[6:]).items():
                said[side] += text
    order = battle.impression.order
    assert said == {"a": texts[order[0]], "b": texts[order[1]]}


def test_a_failure_of_one_side_looks_like_a_failure_of_either(canaries):
    """The stream of a battle that was replaced and voided tells neither side nor reason."""
    client = Client()
    battle = begin_in_browser(client)
    first, _second = claimed_turn(battle)
    fail(first, "identity_leak")
    (again,) = [each for each in claimed_turn(battle) if each.revision_id == first.revision_id]
    fail(again, "identity_leak")
    stream = read_stream(client, battle, until="void")
    assert "identity_leak" not in stream
    assert '"a"' not in stream
    page = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert "This battle did not work out" in page
    assert "identity_leak" not in page


def test_another_browser_sees_neither_page_nor_stream(canaries):
    battle = begin_in_browser(Client())
    stranger = Client()
    stranger.get("/")
    assert stranger.get(reverse("battle", args=[battle.pk])).status_code == 404
    assert "404" in read_status(stranger, battle)


def read_status(client: Client, battle: Battle) -> str:
    started: list[int] = []

    async def run() -> None:
        async def receive():
            await asyncio.sleep(20)
            return {"type": "http.disconnect"}

        async def send(message):
            started.append(message.get("status", 0))

        scope = {"type": "http", "method": "GET", "path": f"/streams/battles/{battle.pk}", "headers": []}
        await application(scope, receive, send)

    asyncio.run(run())
    return str(started)
