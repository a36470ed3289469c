"""Battles of images, sounds and films: released together, guarded, voted on once they were loaded or played, shared,
taken away and deleted."""

import json
import re
import threading
from base64 import b64decode
from contextlib import nullcontext
from functools import partial
from hashlib import sha256

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_visitor
from accounts.use_cases.erase_person import erase_person
from annotation.enums import TurnKind
from annotation.models import Judgment, MediaFile, Turn
from annotation.queries.shown import shown_item
from annotation.use_cases.remove_unnamed import remove_unnamed
from annotation.use_cases.sweep_media import sweep_media
from annotation.use_cases.take_file import take_file
from arena import queries
from arena.models import Battle
from arena.use_cases import cast_vote as casting
from arena.use_cases.erase_own import erase_own
from arena.use_cases.settle_completion import settle_completion
from arena.use_cases.share_battle import revoke_share
from arena.web import files as serving
from foundation.media.store import files_root, media_path
from inference_workers.engine import media_endpoint
from inference_workers.enums import FinishReason
from inference_workers.models import Completion, CompletionFile, LanguageModelRevision
from inference_workers.tasks import files as keeping
from inference_workers.tasks.files import kept_file
from inference_workers.use_cases import finish_completion as finishing
from inference_workers.use_cases.finish_completion import Measures, finish_completion
from tests.annotation.datasets.rows import rows_of, scope_of
from tests.annotation.media.files import picture
from tests.arena.factories import begin, claimed_turn, make_models
from tests.arena.filing import arena_of_files, made, work, work_for_real
from tests.arena.test_blindness import read_stream
from tests.arena.test_shares import share
from tests.arena.voting import browser_of
from tests.factories import make_person, new_key
from tests.foundation.threads import Meanwhile, run_together
from tests.inference_workers.engine.tiny_media_endpoint import TinyMediaEndpoint
from tests.inference_workers.factories import make_endpoint

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
    settle_completion(completion_id=completion.pk, now=timezone.now())


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
    page = browser.get(f"/battles/{battle.pk}").content.decode()
    return re.sub(r'nonce="[^"]*"|[A-Za-z0-9_-]{20,}', "", page)


def test_control_without_the_question_whose_it_is_anybody_gets_it(person, monkeypatch):
    battle = made("image", person)
    monkeypatch.setattr(serving, "known_person", lambda request: person)
    assert Client().get(addresses(battle)[0]).status_code == 200


def test_a_vote_on_pictures_that_were_not_loaded_is_refused_and_says_so(person, browser):
    battle = made("image", person)
    browser.get(addresses(battle)[0])
    refused = vote(browser, battle)
    assert (refused.status_code, Judgment.objects.count()) == (409, 0)
    assert "The images have not all been loaded." in refused.content.decode()
    browser.get(addresses(battle)[1])
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


def finish_while_removed(monkeypatch, person: Person, wait: float) -> None:
    """The file lies there and no completion names it yet; then unnamed files are removed."""
    begin(person, arena=arena_of_files("image"))
    meanwhile = Meanwhile(wait)
    monkeypatch.setattr(keeping, "_written", meanwhile.after(keeping._written))

    def remove() -> int:
        there = [f"files/{path.parent.name}/{path.name}" for path in files_root().glob("??/*")]
        return remove_unnamed(stored=there)

    run_together(work, partial(meanwhile.do, remove))


def test_a_file_is_not_removed_before_its_completion_names_it(person, monkeypatch):
    finish_while_removed(monkeypatch, person, 0.7)
    assert all(media_path(file.stored).is_file() for file in CompletionFile.objects.all())
    assert CompletionFile.objects.count() == 2


def test_control_without_the_lock_a_completion_names_a_file_that_is_gone(person, monkeypatch):
    monkeypatch.setattr(keeping, "advisory_lock", lambda name: nullcontext())
    finish_while_removed(monkeypatch, person, 25)
    assert not all(media_path(file.stored).is_file() for file in CompletionFile.objects.all())


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


def test_erased_with_its_visitor_no_file_is_left_and_what_was_voted_stays(person, browser):
    battle = made("image", person)
    load(browser, battle)
    vote(browser, battle)
    other = made("image", make_person())
    assert len(on_disk()) == 4
    judged = queries.ballot(battle.pk, person=person).exchanges[0].files
    assert set(judged) == {"a", "b"}
    erase_own(person_id=person.pk, withdraws=False, now=timezone.now())
    assert CompletionFile.objects.filter(completion__person=person).count() == 0
    assert len(on_disk()) == MediaFile.objects.count() == 2
    assert Judgment.objects.count() == 1
    assert [turn.media for each in shown_item(battle.item_id, [0, 1]).responses for turn in each.turns] == [None, None]
    # What somebody else has is theirs.
    (exchange,) = queries.ballot(other.pk, person=other.assignment.respondent.person).exchanges
    assert all(each.media for each in exchange.files.values())


def test_a_file_that_two_have_stays_with_the_other_one(person):
    one, other = make_person(), person
    for each in (one, other):
        made("image", each, picture(shade=1), picture(shade=2))
    assert len(on_disk()) == 2
    erase_own(person_id=one.pk, withdraws=False, now=timezone.now())
    assert (len(on_disk()), MediaFile.objects.count(), CompletionFile.objects.count()) == (2, 2, 2)
    erase_own(person_id=other.pk, withdraws=False, now=timezone.now())
    assert (on_disk(), MediaFile.objects.count(), CompletionFile.objects.count()) == ([], 0, 0)


def test_the_sweeper_removes_files_of_whoever_was_erased_by_a_command(person):
    made("image", person)
    erase_person(person_id=person.pk, now=timezone.now())
    assert len(on_disk()) == 2
    sweep_media(now=timezone.now())
    assert (on_disk(), CompletionFile.objects.count()) == ([], 0)


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


def finish_while_erased(monkeypatch, person: Person) -> None:
    """The worker has looked whether its visitor is still there; then they are erased, and then it writes."""
    begin(person, arena=arena_of_files("image"))
    looked = threading.Event()
    write = finishing.write_personal_text

    def written(**words):
        looked.set()
        return write(**words)

    def erase():
        with transaction.atomic():
            erase_person(person_id=person.pk, now=timezone.now())
            assert looked.wait(20)

    monkeypatch.setattr(finishing, "write_personal_text", written)
    run_together(erase, work)
    person.refresh_from_db()
    assert person.erased_at is not None


def test_no_file_comes_once_its_visitor_is_erased(person, monkeypatch):
    finish_while_erased(monkeypatch, person)
    assert ("failed", "person_erased") in set(Completion.objects.values_list("state", "error_code"))
    assert CompletionFile.objects.count() == 0


def test_control_without_the_second_look_a_file_outlives_its_visitor(person, monkeypatch):
    monkeypatch.setattr(finishing, "refuse_erased", lambda person: None)
    finish_while_erased(monkeypatch, person)
    assert CompletionFile.objects.count() > 0
