"""A battle opens at an hour of its own: nothing that its visitor can ask for tells when its answers were whole."""

import json
import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_visitor
from annotation.models import Judgment
from arena.lockstep import HOLD, Tempo, opening
from arena.models import Battle
from arena.use_cases import settle_completion as settling
from arena.use_cases.stop_battle import stop_battle
from arena.use_cases.sweep_battles import sweep_battles
from arena.web import streams
from inference_workers.streams import sync_client
from tests.arena.factories import TEXTS, begin, claimed_turn, end, make_models
from tests.arena.filing import Endpoints, arena_of_files, pump
from tests.arena.test_stream_timing import STEP, read, write
from tests.arena.voting import browser_of
from tests.factories import new_key

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "cookie-of-who-asks-again-and-again"
TEMPO = Tempo(pace=50, lead=2.0)
# What differs from one answer to the next whatever happens: seals, keys, how long was waited, when the file was made.
PASSING = re.compile(
    r'nonce="[^"]*"|name="key" value="[^"]*"|csrf[^>]*>|X-CSRFToken[^>]*>|"made_at": "[^"]*"|\d+ s(econds)?\b'
)


@pytest.fixture(autouse=True)
def empty_redis():
    sync_client().flushdb()


@pytest.fixture
def person() -> Person:
    make_models()
    return person_of_visitor(token=TOKEN, now=timezone.now())


@pytest.fixture
def browser(person) -> Client:
    return browser_of(TOKEN)


# -- the hour itself


def test_texts_that_were_written_faster_than_they_are_shown_open_when_their_length_says():
    assert {opening(TEMPO, [100, 300], whole) for whole in (0.1, 3.0, 8.0)} == {8.0}


def test_what_is_whole_later_waits_for_the_next_multiple_of_the_hold():
    assert [opening(TEMPO, [100, 300], whole) for whole in (8.1, 9.9, 10.0, 10.1)] == [10.0, 10.0, 10.0, 15.0]


def test_files_and_texts_that_were_held_back_have_no_length_to_tell():
    assert [opening(TEMPO, [], whole) for whole in (0.1, 4.9, 5.1)] == [HOLD, HOLD, 2 * HOLD]


# -- what a visitor can ask for


def answered(battle: Battle) -> None:
    """Both models have. Its hour, if it is to come, is far enough for the slowest machine."""
    for completion, text in zip(claimed_turn(battle), TEXTS, strict=False):
        end(completion, text)
        settling.settle_completion(completion_id=completion.pk, now=timezone.now())
    put_off()


def put_off() -> None:
    now = timezone.now()
    Battle.objects.filter(opens_at__gt=now).update(opens_at=now + timedelta(hours=1))


def comes(battle: Battle) -> None:
    """Its hour."""
    Battle.objects.filter(pk=battle.pk).update(opens_at=timezone.now() - timedelta(milliseconds=1))


def asked_for(browser: Client, battle: Battle) -> dict[str, tuple[int, str]]:
    """Every address that says something of one's own battle."""
    of = f"/battles/{battle.pk}"
    addresses = [of, f"{of}/waiting", "/mine", "/mine/board", "/mine/data", "/mine/data/download", f"{of}/share"]
    addresses += [f"{of}/files/{side}-0-0" for side in "AB"]
    found = {}
    for address in addresses:
        answer = browser.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        found[address] = (answer.status_code, PASSING.sub("", body.decode()))
    return found


def ballot(browser: Client, battle: Battle) -> dict[str, str]:
    return {"key": new_key(), "turn_count": "1", "regenerations": "0", "preference": "a", "preference.strength": "1"}


def test_before_its_hour_everything_is_as_if_nothing_were_whole(browser, person):
    battle = begin(person)
    before = asked_for(browser, battle)
    answered(battle)
    assert asked_for(browser, battle) == before
    refused = browser.post(f"/battles/{battle.pk}/vote", ballot(browser, battle))
    assert (refused.status_code, Judgment.objects.count()) == (409, 0)
    assert browser.post(f"/battles/{battle.pk}/follow-up", {"prompt": "More?", "key": new_key()}).status_code == 422
    comes(battle)
    page = browser.get(f"/battles/{battle.pk}").content.decode()
    assert ("Rayleigh" in page, "Because it is." in page) == (True, True)
    assert Battle.objects.get().state == "votable"
    assert browser.post(f"/battles/{battle.pk}/vote", ballot(browser, battle)).status_code == 302


def test_control_opened_at_once_the_page_tells_when_the_slower_one_was_whole(browser, person, monkeypatch):
    monkeypatch.setattr(settling, "opening", lambda tempo, lengths, whole: whole)
    with pytest.raises(AssertionError):
        test_before_its_hour_everything_is_as_if_nothing_were_whole(browser, person)


def test_the_hour_is_told_after_it_and_not_the_moment_at_which_all_were_whole(browser, person):
    battle = begin(person)
    answered(battle)
    comes(battle)
    browser.get(f"/battles/{battle.pk}")
    own = json.loads(b"".join(browser.get("/mine/data/download").streaming_content))
    battle.refresh_from_db()
    assert datetime.fromisoformat(own["battles"][0]["answered_at"]) - battle.opens_at < timedelta(milliseconds=1)
    assert battle.answered_at == battle.opens_at


def test_files_have_no_address_before_the_hour(browser, person, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    battle = begin(person, arena=arena_of_files("image"))
    before = asked_for(browser, battle)
    pump(Endpoints())
    put_off()
    assert asked_for(browser, battle) == before
    comes(battle)
    assert "/files/A-0-0" in browser.get(f"/battles/{battle.pk}").content.decode()
    assert {browser.get(f"/battles/{battle.pk}/files/{side}-0-0").status_code for side in "AB"} == {200}


def test_before_its_hour_a_battle_is_stopped_as_one_that_is_written(browser, person):
    told = []
    for is_whole in (False, True):
        battle = begin(person)
        if is_whole:
            answered(battle)
        stop_battle(battle_id=battle.pk, turn_count=1, person=person, now=timezone.now())
        pages = browser.get(f"/battles/{battle.pk}"), browser.get("/mine/data")
        told.append([PASSING.sub("", page.content.decode()).replace(str(battle.pk), "") for page in pages])
    assert told[0][0] == told[1][0]
    # Of two battles two prompts, and nothing of the models.
    assert ("Rayleigh" in told[1][0], "2 texts" in told[1][1]) == (False, True)
    comes(battle)
    settling.open_battle(battle_id=battle.pk, now=timezone.now())
    battle.refresh_from_db()
    assert battle.state == "abandoned"


def test_whom_nobody_looks_at_the_sweep_opens(person):
    battle = begin(person)
    answered(battle)
    sweep_battles(now=timezone.now())
    assert Battle.objects.get().state == "answering"
    comes(battle)
    sweep_battles(now=timezone.now())
    assert Battle.objects.get().state == "votable"


def test_asked_again_it_has_no_hour_before_both_are_whole_again(browser, person):
    battle = begin(person)
    answered(battle)
    comes(battle)
    key = browser.get(f"/battles/{battle.pk}").context["key"]
    sent = {"prompt": "And at night?", "key": key, "turn_count": "1"}
    assert browser.post(f"/battles/{battle.pk}/follow-up", sent).status_code == 302
    assert Battle.objects.values_list("state", "opens_at").get() == ("answering", None)
    assert "Rayleigh" in browser.get(f"/battles/{battle.pk}").content.decode()


# -- readers of one stream


def test_a_reader_who_comes_later_is_where_the_others_are(browser, person):
    """Ten readers one after the other see one line, not ten: what has come by when tells each the same."""
    battle = begin(person)
    write(battle, characters=3000, pieces=100, seconds=0.0)
    *_, (_, reached) = read(browser, battle, events=6)
    ((_, position),) = read(browser, battle, events=1)
    # As far at once as the first one had come, and on: the line did not stop for want of readers.
    assert (position > reached >= 6 * STEP, position % STEP) == (True, 0)


def test_control_who_begins_by_himself_learns_of_another_moment(browser, person, monkeypatch):
    monkeypatch.setattr(streams, "known_flow", lambda battle_id, turn: None)
    with pytest.raises(AssertionError):
        test_a_reader_who_comes_later_is_where_the_others_are(browser, person)
