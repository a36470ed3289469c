"""Battles of images, sounds and films: released together, guarded, voted on once they were loaded or played, shared,
taken away and deleted."""

import json
import re
from base64 import b64decode
from hashlib import sha256

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_visitor
from annotation.enums import TurnKind
from annotation.models import Judgment, MediaFile, Turn
from annotation.use_cases.take_file import take_file
from arena.models import Battle
from arena.use_cases import cast_vote as casting
from arena.use_cases.erase_own import erase_own
from arena.use_cases.keep_models import keep_models
from arena.use_cases.share_battle import revoke_share
from arena.web import files as serving
from foundation.media.store import files_root
from inference_workers.engine import media_endpoint
from inference_workers.enums import FinishReason
from inference_workers.models import Completion, CompletionFile, LanguageModel, LanguageModelRevision
from inference_workers.use_cases.finish_completion import Measures, finish_completion
from tests.annotation.datasets.rows import rows_of, scope_of
from tests.annotation.media.files import picture
from tests.arena.factories import begin, claimed_turn, make_arena, make_models, settle
from tests.arena.filing import arena_of_files, made, work, work_for_real
from tests.arena.test_blindness import read_stream
from tests.arena.test_shares import share
from tests.arena.voting import browser_of
from tests.factories import new_key
from tests.inference_workers.engine.tiny_media_endpoint import TinyMediaEndpoint
from tests.inference_workers.factories import make_endpoint
from tests.inference_workers.kept_files import kept_file

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "cookie-of-who-looks-and-listens"
OUTPUTS = ["image", "audio", "video"]
TAGS = {"image": "<img", "audio": "<audio", "video": "<video"}


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def person() -> Person:
    return person_of_visitor(token=TOKEN, now=timezone.now())


@pytest.fixture
def browser() -> Client:
    return browser_of(TOKEN)


def addresses(battle: Battle, regenerations: int = 0) -> list[str]:
    return [f"/battles/{battle.pk}/files/{letter}-0-{regenerations}" for letter in "AB"]


def load(browser: Client, battle: Battle, regenerations: int = 0) -> list[bytes]:
    answers = [browser.get(address) for address in addresses(battle, regenerations)]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.getvalue() for answer in answers]


def vote(browser: Client, battle: Battle, *, played: float | None = None):
    """As the page sends it, some time after it was shown."""
    page = browser.get(f"/battles/{battle.pk}")
    battle.refresh_from_db()
    values = {"key": new_key(), "turn_count": 1, "regenerations": battle.regenerations, "preference": "a"}
    values["process.rendered_at"] = page.context["form"].rendered_at_seal
    if played is not None:
        values["process.media_played"] = json.dumps({"A-0": [[0, played]], "B-0": [[0, played]]})
    return browser.post(f"/battles/{battle.pk}/vote", values)


def on_disk() -> list[str]:
    return sorted(path.name for path in files_root().glob("??/*"))


@pytest.mark.parametrize("output", OUTPUTS)
def test_both_files_come_at_once_are_voted_on_and_shared(output, person, browser, canary_words):
    battle = begin(person, arena=arena_of_files(output), prompt="A bell that rings.")
    waiting = browser.get(f"/battles/{battle.pk}").content.decode()
    assert "Both appear at once" in waiting
    assert "/files/" not in waiting
    assert "data-stream" in waiting
    work()
    page = browser.get(f"/battles/{battle.pk}").content.decode()
    assert all(f'src="{address}"' in page for address in addresses(battle))
    assert (page.count(TAGS[output]), "data-media-together" in page) == (2, True)
    one, other = load(browser, battle)
    assert one != other
    # Neither the page, nor a header, nor a byte of a file tells who made it.
    heads = [browser.get(address).headers for address in addresses(battle)]
    told = page.lower().encode() + one + other + str([dict(head) for head in heads]).lower().encode()
    assert not [word for word in canary_words() if word.lower().encode() in told]
    same = [{name: value for name, value in head.items() if name not in ("ETag", "Content-Length")} for head in heads]
    assert same[0] == same[1]
    # Who votes has loaded or played them.
    assert vote(browser, battle, played=1.0).status_code == 302
    assert Judgment.objects.get().preference == "a"
    address = share(Battle.objects.get(), person)
    shown = Client().get(address).content.decode()
    linked = [f"{address}/files/{letter}-0-0" for letter in "AB"]
    assert all(f'src="{each}"' in shown for each in linked)
    assert str(battle.pk) not in shown
    assert [Client().get(each).getvalue() for each in linked] == [one, other]
    revoke_share(battle_id=battle.pk, person=person, now=timezone.now())
    assert [Client().get(each).status_code for each in linked] == [404, 404]


@pytest.fixture
def canary_words():
    def words() -> list[str]:
        revisions = LanguageModelRevision.objects.select_related("language_model", "endpoint")
        return [
            word
            for each in revisions
            for word in (each.language_model.name, each.language_model.slug, each.provider_model, each.endpoint.name)
        ]

    return words


def test_nobody_elses_browser_gets_a_file_nor_anybody_before_both_are_whole(person, browser):
    battle = begin(person, arena=arena_of_files("image"))
    assert [browser.get(address).status_code for address in addresses(battle)] == [404, 404]
    work()
    load(browser, battle)
    for stranger in (Client(), browser_of("cookie-of-somebody-else-altogether")):
        assert [stranger.get(address).status_code for address in addresses(battle)] == [404, 404]
    for place in ("C-0-0", "A-1-0", "A-0-1", "A-0", "P-0-0", "A-0-9999"):
        assert browser.get(f"/battles/{battle.pk}/files/{place}").status_code == 404


def finish_one(battle: Battle) -> None:
    """Of both sides the first."""
    completion = claimed_turn(battle)[0]
    with kept_file(picture(), "image", most=10_000_000, uniform=True) as file:
        finish_completion(
            completion_id=completion.pk,
            lease_token=completion.lease_token,
            text="",
            file=file,
            finish_reason=FinishReason.STOP,
            measures=Measures(None, None, None, 0.5),
            now=timezone.now(),
        )
    settle(completion)


def test_while_one_side_is_whole_it_looks_as_if_none_were(person, browser):
    battle = begin(person, arena=arena_of_files("image"))
    before = shown_of(browser, battle)
    finish_one(battle)
    assert CompletionFile.objects.count() == 1
    assert shown_of(browser, battle) == before
    assert [browser.get(address).status_code for address in addresses(battle)] == [404, 404]
    own = json.loads(b"".join(browser.get("/mine/data/download").streaming_content))
    assert (own["files"], own["battles"][0]["turns"][0]["answers"]) == ([], {})


def test_the_stream_of_files_sends_no_word_and_nothing_before_both_are_whole(person, browser):
    battle = begin(person, arena=arena_of_files("audio"))
    work()
    sent = read_stream(browser, battle, until="ready")
    assert ("event: ready" in sent, "event: text" in sent, "files" in sent) == (True, False, False)


def test_control_a_side_that_is_shown_when_it_is_whole_tells_which_model_is_faster(person, browser):
    battle = begin(person, arena=arena_of_files("image"))
    before = shown_of(browser, battle)
    finish_one(battle)
    turn = Turn.objects.get(completion__file__isnull=False)
    take_file(turn=turn, campaign_id=battle.item.campaign_id, now=timezone.now())
    assert sorted(browser.get(address).status_code for address in addresses(battle)) == [200, 404]
    assert shown_of(browser, battle) == before  # the page itself waits for the battle's state


def shown_of(browser: Client, battle: Battle) -> str:
    """Its page, without what is new on every page."""
    answer = browser.get(f"/battles/{battle.pk}")
    nonce = re.search(r"'nonce-([^']+)'", answer["Content-Security-Policy"])[1]
    return re.sub(r"[A-Za-z0-9_-]{20,}", "", answer.content.decode().replace(nonce, ""))


def test_control_without_the_question_whose_it_is_anybody_gets_it(person, monkeypatch):
    battle = made("image", person)
    monkeypatch.setattr(serving, "known_person", lambda request: person)
    assert Client().get(addresses(battle)[0]).status_code == 200


def test_a_vote_on_pictures_that_were_not_loaded_is_refused_and_says_so(person, browser):
    battle = made("image", person)
    browser.get(addresses(battle)[0]).getvalue()
    # Of the other one the connection breaks before its end, and then a part is asked for.
    cut = browser.get(addresses(battle)[1])
    next(iter(cut.streaming_content))
    cut.close()
    browser.get(addresses(battle)[1], headers={"Range": "bytes=1-"}).getvalue()
    refused = vote(browser, battle)
    assert (refused.status_code, Judgment.objects.count()) == (409, 0)
    assert "The images have not all been loaded." in refused.content.decode()
    browser.get(addresses(battle)[1]).getvalue()
    assert vote(browser, battle).status_code == 302


def test_control_without_the_gate_nobody_has_to_look(person, browser, monkeypatch):
    monkeypatch.setattr(casting, "refuse_unloaded", lambda battle: None)
    assert vote(browser, made("image", person)).status_code == 302


@pytest.mark.parametrize("output", ["audio", "video"])
def test_a_vote_on_what_was_hardly_played_is_refused_and_what_was_played_is_kept(output, person, browser):
    battle = made(output, person)
    for played in (None, 0.2):
        refused = vote(browser, battle, played=played)
        assert (refused.status_code, Judgment.objects.count()) == (422, 0)
        assert "Still to be played further: A, B" in refused.content.decode()
    assert vote(browser, battle, played=0.7).status_code == 302
    assert all(0.6 < share < 1 for share in Judgment.objects.get().media_played)


def test_asked_again_both_are_made_anew_and_the_vote_is_about_the_last_ones(person, browser):
    battle = made("image", person)
    before = load(browser, battle)
    form = {"key": new_key(), "turn_count": 1, "regenerations": 0}
    assert browser.post(f"/battles/{battle.pk}/regenerate", form).status_code == 302
    assert [browser.get(address).status_code for address in addresses(battle)] == [404, 404]
    work()
    assert vote(browser, battle).status_code == 409
    after = load(browser, battle, 1)
    assert not set(before) & set(after)
    assert vote(browser, battle).status_code == 302
    # Earlier ones are one's own still.
    own = json.loads(b"".join(browser.get("/mine/data/download").streaming_content))
    assert {b64decode(each["base64"]) for each in own["files"]} == {*before, *after}
    (turn,) = own["battles"][0]["turns"]
    assert turn["answers"] == {letter: said(content) for letter, content in zip("AB", after, strict=True)}
    assert turn["earlier"] == [{letter: said(content) for letter, content in zip("AB", before, strict=True)}]


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_servers_files_are_asked_for_by_the_visitors_words_and_shown_without_its_name(
    output, person, browser, settings, monkeypatch
):
    monkeypatch.setattr(media_endpoint, "POLL_S", 0.01)
    with TinyMediaEndpoint() as server:
        settings.OUTBOUND_ALLOWED_HOSTS = [server.url.split("/")[2]]
        endpoint = make_endpoint(backend="openai", base_url=server.url)
        make_models(output=output, endpoint=endpoint)
        battle = begin(person, arena=arena_of_files(output), prompt="A bell that rings.")
        work_for_real()
        asked = [sent for verb, _place, sent in server.asked if verb == "POST"]
    assert len(asked) == 2
    assert all(
        b"A bell that rings." in (sent if isinstance(sent, bytes) else json.dumps(sent).encode()) for sent in asked
    )
    assert not any(b"canary-model" in content for content in load(browser, battle))


def test_who_stops_gets_nothing_and_nothing_is_made_any_more(person, browser):
    battle = begin(person, arena=arena_of_files("image"))
    stopped = browser.post(f"/battles/{battle.pk}/stop", {"turn_count": 1, "regenerations": 0})
    assert stopped.status_code == 302
    work()
    battle.refresh_from_db()
    assert (battle.state, set(Completion.objects.values_list("state", flat=True))) == ("abandoned", {"cancelled"})
    assert "The models were stopped" in browser.get(f"/battles/{battle.pk}").content.decode()
    assert (CompletionFile.objects.count(), on_disk()) == (0, [])


def said(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


@pytest.mark.parametrize("broken", [b"<html>503</html>", b"\x89PNG\r\n\x1a\n", b""])
def test_a_file_that_cannot_be_shown_is_asked_for_once_more_and_then_the_battle_is_void(person, browser, broken):
    battle = made("image", person, broken)
    assert (battle.state, Completion.objects.filter(state="failed").exists()) == ("void", True)
    page = browser.get(f"/battles/{battle.pk}").content.decode()
    assert "This battle did not work out" in page
    assert "/files/" not in page
    assert (MediaFile.objects.count(), Turn.objects.filter(kind=TurnKind.FILE).count()) == (0, 0)


def test_datasets_name_the_files_of_battles_as_they_name_those_of_campaigns(person, browser):
    battle = made("image", person)
    contents = load(browser, battle)
    vote(browser, battle)
    (row,), _dropped = rows_of(scope_of(battle.arena.campaign), "votes")
    turns = [response["turns"][0] for response in row["responses"]]
    assert [(turn["content_type"], turn["file_sha256"]) for turn in turns] == [
        ("image/png", sha256(content).hexdigest()) for content in contents
    ]
    assert all(turn["file"].startswith("written-") and turn["text"] is None for turn in turns)
    # Nothing in them can be trained on as text.
    assert rows_of(scope_of(battle.arena.campaign)) == ([], {"no_text": 1})
    # Of whoever was erased nothing is named any more.
    erase_own(person_id=person.pk, withdraws=False, now=timezone.now())
    (row,), _dropped = rows_of(scope_of(battle.arena.campaign), "votes")
    assert {turn["file_sha256"] for response in row["responses"] for turn in response["turns"]} <= {None}


@pytest.mark.parametrize("mode", ["anonymous", "named", "own_set"])
def test_three_pictures_whoever_says_who_meets(person, browser, mode):
    make_models(3, output="image")
    arena = make_arena("three", output="image", contestants=3, modes=["anonymous", "named", "own_set"])
    slugs = list(LanguageModel.objects.order_by("slug").values_list("slug", flat=True))
    keep_models(arena=arena, person=person, slugs=slugs, now=timezone.now())
    battle = begin(person, arena=arena, mode=mode, named=slugs if mode == "named" else ())
    work()
    page = browser.get(f"/battles/{battle.pk}").content.decode()
    assert (page.count("<img"), any(slug in page for slug in slugs)) == (3, False)
    assert ("canaryname" in page) == (mode == "named")
    places = [f"/battles/{battle.pk}/files/{letter}-0-0" for letter in "ABC"]
    for place in places[:2]:
        browser.get(place).getvalue()
    form = {"key": new_key(), "turn_count": 1, "regenerations": 0, **{f"order.{side}": 1 for side in "abc"}}
    assert browser.post(f"/battles/{battle.pk}/vote", form).status_code == 409
    browser.get(places[2]).getvalue()
    assert browser.post(f"/battles/{battle.pk}/vote", form).status_code == 302
