"""Deletion by oneself, with the cookie or by a link: what goes, what stays, and who cannot do it."""

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import LinkPurpose
from accounts.models import Person, PersonLink
from accounts.texts import read_personal_texts
from accounts.use_cases.create_person import person_of_user, person_of_visitor
from accounts.use_cases.erase_person import erase_person
from accounts.use_cases.link_person import LIFE, link_person
from annotation.boards import canonical_json
from annotation.models import Judgment, LeaderboardSnapshot
from annotation.use_cases.create_board import create_board
from annotation.use_cases.refresh_board import refresh_board
from annotation.use_cases.verify_log import verify_log
from arena.models import Battle, PoolPrompt
from arena.use_cases import start_battle as starting
from arena.use_cases.erase_own import LastSuperuser, erase_by_link, erase_own
from arena.use_cases.sweep_battles import sweep_battles
from arena.web.visitors import COOKIE
from inference_workers.models import Completion, OutboxEntry
from inference_workers.use_cases.fail_completion import fail_completion
from tests.annotation.numbering import number_log
from tests.arena.factories import begin, claimed_turn, finish, make_arena, make_models, settle, votable
from tests.arena.voting import browser_of, voted
from tests.factories import make_person, make_user, new_key

pytestmark = pytest.mark.django_db
TOKEN = "cookie-of-who-wants-to-be-deleted"


@pytest.fixture
def person() -> Person:
    make_models()
    return person_of_visitor(token=TOKEN, now=timezone.now())


@pytest.fixture
def browser() -> Client:
    return browser_of(TOKEN)


def erase(person: Person, *, withdraws: bool = False):
    return erase_own(person_id=person.pk, withdraws=withdraws, now=timezone.now())


def texts_of(person: Person) -> list[str | None]:
    return list(read_personal_texts(person.texts.values_list("pk", flat=True)).values())


def standings() -> str:
    """Of the arena's board, computed now from the log."""
    number_log()
    campaign = make_arena().campaign
    board = campaign.boards.first() or create_board(slug="b", name="B", campaign=campaign, now=timezone.now())
    refresh_board(board_id=board.pk, now=timezone.now())
    newest = LeaderboardSnapshot.objects.order_by("-number").first()
    return canonical_json(newest.standings) if newest else ""


def test_texts_are_unreadable_and_standings_are_the_same_byte_for_byte(person):
    voted(person)
    for _ in range(3):
        voted(make_person())
    before, log = standings(), verify_log(now=timezone.now())
    assert all(texts_of(person))
    erase(person)
    person.refresh_from_db()
    assert (person.wrapped_key, person.visitor_digest, set(texts_of(person))) == (None, None, {None})
    assert (standings(), verify_log(now=timezone.now())) == (before, log)
    assert Judgment.objects.count() == 4


def test_control_with_the_key_kept_everything_is_readable(person, monkeypatch):
    voted(person)
    monkeypatch.setattr("arena.use_cases.erase_own.erase_person", lambda **_: None)
    erase(person)
    assert all(texts_of(person))


def test_votes_that_are_withdrawn_with_it_count_no_more(person):
    voted(person)
    for _ in range(3):
        voted(make_person())
    before = standings()
    assert erase(person, withdraws=True).judgments == 1
    after = json.loads(standings())
    assert (json.loads(before)["people"]["judgments"], after["people"]["judgments"]) == (4, 3)
    assert verify_log(now=timezone.now()).ok
    person.refresh_from_db()
    assert person.erased_at is not None


def test_open_battles_end_and_nothing_is_left_for_the_workers(person):
    waiting, open_ = begin(person), votable(person)
    running = claimed_turn(waiting)
    erase(person)
    assert set(Battle.objects.values_list("state", "item__state", "assignment__state", "assignment__slot__state")) == {
        ("abandoned", "void", "cancelled", "cancelled")
    }
    assert not Completion.objects.filter(state__in=["queued", "running"]).exists()
    # What a worker or the sweeper says of them later changes nothing and fails nowhere.
    for completion in running:
        settle(completion)
    sweep_battles(now=timezone.now())
    assert set(Battle.objects.values_list("state", flat=True)) == {"abandoned"}
    assert {waiting.impression.end.kind, open_.impression.end.kind} == {"abandoned"}


def test_a_battle_whose_visitor_the_operator_erased_is_void_and_holds_up_no_others(person):
    """The command knows no battles: what was being written for them must not stop the sweeper at every turn."""
    erased, other = begin(person), begin()
    jobs = claimed_turn(erased) + claimed_turn(other)
    erase_person(person_id=person.pk, now=timezone.now())
    for job in jobs[:2]:
        fail_completion(
            completion_id=job.pk,
            lease_token=job.lease_token,
            code="person_erased",
            message="",
            retryable=False,
            now=timezone.now(),
        )
    for job in jobs[2:]:
        finish(job, "Because.")
    sweep_battles(now=timezone.now())
    assert [Battle.objects.get(pk=each.pk).state for each in (erased, other)] == ["void", "votable"]
    assert not OutboxEntry.objects.filter(handled_at=None).exists()


def test_a_failure_in_the_middle_leaves_everything_as_it_was(person, monkeypatch):
    votable(person)
    voted(person)

    def fail(**_):
        raise RuntimeError

    monkeypatch.setattr("arena.use_cases.erase_own.erase_person", fail)
    with pytest.raises(RuntimeError):
        erase(person, withdraws=True)
    assert sorted(Battle.objects.values_list("state", flat=True)) == ["votable", "voted"]
    assert Judgment.objects.count() == 1


# ---- the page ------------------------------------------------------------------------------------------------------


def test_the_page_deletes_when_it_is_told_twice(person, browser):
    voted(person)
    refused = browser.post("/mine/data/erase", {"withdraws": "on"})
    assert (refused.status_code, "Tick this to delete." in refused.content.decode()) == (422, True)
    assert all(texts_of(person))
    answer = browser.post("/mine/data/erase", {"confirmed": "on"})
    assert (answer.status_code, answer["Location"]) == (302, "/mine/erased")
    assert set(texts_of(person)) == {None}
    assert answer.cookies[COOKIE].value == ""
    assert "can no longer be read" in browser.get("/mine/erased").content.decode()
    assert browser.post("/mine/data/erase", {"confirmed": "on"}).status_code == 404


def test_looking_changes_nothing(person, browser):
    voted(person)
    token = link_person(person_id=person.pk, purpose=LinkPurpose.ERASE, now=timezone.now())
    before = all_rows()
    for address in ("/mine", "/mine/board", "/mine/data", "/mine/data/download", "/mine/erased", f"/mine/link/{token}"):
        response = browser.get(address)
        assert response.status_code == 200
        if response.streaming:
            b"".join(response)
    assert all_rows() == before


def all_rows() -> dict[str, list[str]]:
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t ORDER BY 1')
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


def test_an_account_is_closed_and_signed_out(person):
    user = make_user()
    own = person_of_user(user=user, now=timezone.now())
    voted(own)
    client = Client()
    client.force_login(user)
    assert "Your account is closed" in client.get("/mine/data").content.decode()
    assert client.post("/mine/data/erase", {"confirmed": "on"}).status_code == 302
    assert "Signed in as" not in client.get("/about").content.decode()
    user.refresh_from_db()
    assert (user.is_active, user.username) == (False, f"erased-{user.pk}@invalid")


def test_the_only_superuser_stays(person):
    user = make_user(is_superuser=True, is_staff=True)
    own = person_of_user(user=user, now=timezone.now())
    client = Client()
    client.force_login(user)
    refused = client.post("/mine/data/erase", {"confirmed": "on"})
    assert (refused.status_code, "only account that can run this site" in refused.content.decode()) == (422, True)
    with pytest.raises(LastSuperuser):
        erase(own, withdraws=True)
    make_user(is_superuser=True)
    erase(own)
    user.refresh_from_db()
    assert not user.is_superuser


# ---- links ---------------------------------------------------------------------------------------------------------


def made_link(client: Client, purpose: str) -> str:
    page = client.post("/mine/data/link", {"purpose": purpose})
    assert page.status_code == 200
    return re.search(r"http://testserver(/mine/link/[\w-]+)", page.content.decode())[1]


def test_a_link_deletes_without_the_cookie_once(person, browser):
    voted(person)
    address = made_link(browser, "erase")
    elsewhere = Client()
    assert "Delete everything" in elsewhere.get(address).content.decode()
    assert elsewhere.post(address).status_code == 422
    assert all(texts_of(person))
    assert elsewhere.post(address, {"confirmed": "on"})["Location"] == "/mine/erased"
    assert set(texts_of(person)) == {None}
    assert [elsewhere.get(address).status_code, elsewhere.post(address, {"confirmed": "on"}).status_code] == [404, 404]


def test_a_link_downloads_without_the_cookie_once(person, browser):
    battle = voted(person)
    address = made_link(browser, "data")
    elsewhere = Client()
    assert elsewhere.get(address).status_code == 200
    response = elsewhere.post(address)
    assert [each["id"] for each in json.loads(b"".join(response))["battles"]] == [str(battle.pk)]
    assert [elsewhere.get(address).status_code, elsewhere.post(address).status_code] == [404, 404]
    assert all(texts_of(person))


def test_a_link_is_shown_once_and_the_page_says_that_there_is_one(person, browser):
    voted(person)
    token = made_link(browser, "erase").rsplit("/", 1)[1]
    later = browser.get("/mine/data")
    assert token not in later.content.decode()
    assert "Delete everything: there is a link" in " ".join(later.content.decode().split())
    assert browser.post("/mine/data/link", {"purpose": "everything"}).status_code == 422
    assert PersonLink.objects.count() == 1


def test_expired_replaced_guessed_and_used_links_are_not_there(person, browser):
    voted(person)
    old, new = made_link(browser, "erase"), made_link(browser, "erase")
    past = timezone.now() - max(LIFE.values())
    expired = link_person(person_id=make_person().pk, purpose=LinkPurpose.ERASE, now=past)
    for address in (old, f"/mine/link/{expired}", "/mine/link/guessed", new + "x"):
        assert [browser.get(address).status_code, browser.post(address, {"confirmed": "on"}).status_code] == [404, 404]
    assert browser.get(new).status_code == 200
    assert all(texts_of(person))


def test_a_link_is_of_its_person_whoever_opens_it(person, browser):
    """The browser of somebody else deletes with it whose link it is, and keeps its own cookie and battles."""
    voted(person)
    address = made_link(browser, "erase")
    other = person_of_visitor(token="cookie-of-the-other-person", now=timezone.now())
    voted(other)
    elsewhere = Client()
    elsewhere.cookies[COOKIE] = "cookie-of-the-other-person"
    answer = elsewhere.post(address, {"confirmed": "on"})
    assert COOKIE not in answer.cookies
    assert (set(texts_of(person)), all(texts_of(other))) == ({None}, True)


def test_a_link_to_download_does_not_delete(person):
    voted(person)
    token = link_person(person_id=person.pk, purpose=LinkPurpose.DATA, now=timezone.now())
    with pytest.raises(Exception, match="for something else"):
        erase_by_link(token=token, withdraws=False, now=timezone.now())
    assert all(texts_of(person))
    assert PersonLink.objects.get().used_at is None


def test_every_form_needs_its_token(person):
    voted(person)
    token = link_person(person_id=person.pk, purpose=LinkPurpose.ERASE, now=timezone.now())
    client = Client(enforce_csrf_checks=True)
    client.cookies[COOKIE] = TOKEN
    addresses = ("/mine/data/erase", "/mine/data/link", f"/mine/link/{token}")
    assert [client.post(each, {"confirmed": "on"}).status_code for each in addresses] == [403] * 3
    assert all(texts_of(person))


@pytest.mark.parametrize("address", ["start-battle", "start-any"])
def test_whoever_is_erased_while_a_battle_of_theirs_begins_is_told_and_begins_anew(
    monkeypatch, person, browser, address
):
    PoolPrompt.objects.create(arena=make_arena(), text="Why is the sky blue?", digest="d" * 64)
    held = starting.hold_to_rules

    def deleted_in_another_tab(*given, **named):
        erase(person)
        return held(*given, **named)

    monkeypatch.setattr(starting, "hold_to_rules", deleted_in_another_tab)
    said = {"prompt": "Why is the sky blue?", "key": new_key()}
    told = browser.post(reverse(address), said)
    assert (told.status_code, "was deleted a moment ago" in told.content.decode()) == (409, True)
    assert Battle.objects.count() == 0
    monkeypatch.undo()
    assert browser.post(reverse(address), said | {"key": new_key()}).status_code == 302
    assert Battle.objects.get().assignment.respondent.person_id != person.pk
