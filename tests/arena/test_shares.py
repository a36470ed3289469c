"""A battle shared by a link: read blind, unfolded by a request of its own, and ended by whoever made it."""

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_visitor
from accounts.use_cases.erase_person import erase_person
from annotation.enums import RespondentState
from annotation.models import Event, Respondent
from arena.models import Battle, Share
from arena.queries import ballot
from arena.queries.shared import open_share
from arena.use_cases.ask_follow_up import NotYourBattle
from arena.use_cases.erase_own import erase_own
from arena.use_cases.share_battle import NotVoted, revoke_share, share_battle, share_digest
from arena.web import shares
from arena.web.visitors import COOKIE
from inference_workers.models import LanguageModel
from tests.arena.factories import answer, begin, make_models, votable
from tests.arena.voting import asked_for_worth, browser_of, vote, voted
from tests.factories import make_person

pytestmark = pytest.mark.django_db
TOKEN = "cookie-of-who-shares-a-battle"
SWAP = {"HX-Request": "true"}


@pytest.fixture
def canaries() -> list[str]:
    return make_models()


@pytest.fixture
def person(canaries) -> Person:
    return person_of_visitor(token=TOKEN, now=timezone.now())


@pytest.fixture
def browser() -> Client:
    return browser_of(TOKEN)


def share(battle: Battle, person: Person) -> str:
    """The address that is told once."""
    return f"/shared/{share_battle(battle_id=battle.pk, person=person, now=timezone.now())}"


def whole(response) -> str:
    cookies = " ".join(morsel.OutputString() for morsel in response.cookies.values())
    return f"{response.content.decode()} {dict(response.headers)} {cookies}".lower()


def status(address: str) -> list[int]:
    return [Client().get(each).status_code for each in (address, f"{address}/models")]


def test_the_folded_page_holds_no_model_and_no_vote_and_the_unfolded_one_both(canaries, person):
    battle = voted(person)
    address = share(battle, person)
    folded, unfolded = Client().get(address), Client().get(f"{address}/models", headers=SWAP)
    assert [each for each in canaries if each in whole(folded)] == []
    assert "preferred by" not in whole(folded)
    assert "because of <strong>rayleigh</strong>" in whole(folded)
    assert "why is the sky blue?" in whole(folded)
    names = [response.contestant.name for response in battle.item.responses.all()]
    assert all(name in whole(unfolded) for name in names)
    assert "preferred by who shares it" in whole(unfolded)
    assert "<html" not in whole(unfolded)
    never = [each for each in canaries if "provider" in each or "system" in each or "endpoint" in each]
    assert [each for each in never if each in whole(unfolded)] == []


def test_control_a_folded_page_that_held_the_models_would_be_caught(canaries, person, monkeypatch):
    battle = voted(person)
    address = share(battle, person)
    name = battle.item.responses.first().contestant.name
    blind = ballot

    def leaky(battle_id, *, person):
        found = blind(battle_id, person=person)
        object.__setattr__(found.exchanges[0], "prompt", name)
        return found

    monkeypatch.setattr("arena.queries.shared.ballot", leaky)
    assert any(canary in whole(Client().get(address)) for canary in canaries)


def test_without_scripts_the_unfolded_page_is_a_whole_one(canaries, person):
    address = share(voted(person), person)
    page = whole(Client().get(f"{address}/models"))
    assert "<html" in page
    assert "why is the sky blue?" in page
    assert any(canary in page for canary in canaries)


def test_nothing_keeps_finds_or_tells_the_address(person):
    address = share(voted(person), person)
    for each in (address, f"{address}/models"):
        response = Client().get(each)
        found = {name: response[name] for name in ("Cache-Control", "X-Robots-Tag", "Referrer-Policy")}
        assert found == {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
        assert 'content="noindex' in response.content.decode()


def counts() -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (found[table],) = cursor.fetchone()
    return found


def test_reading_and_unfolding_write_no_row_and_give_no_cookie_of_a_visitor(person):
    address = share(voted(person), person)
    before = counts()
    reader = Client()
    for each in (address, f"{address}/models", f"{address}?own=a", f"{address}/models?own=a"):
        assert reader.get(each).status_code == 200
    assert counts() == before
    assert COOKIE not in reader.cookies


def test_control_a_page_that_made_its_reader_a_person_would_be_caught(person, monkeypatch):
    plain = shares.shared_battle

    def counting(share):
        make_person()
        return plain(share)

    monkeypatch.setattr(shares, "shared_battle", counting)
    with pytest.raises(AssertionError):
        test_reading_and_unfolding_write_no_row_and_give_no_cookie_of_a_visitor(person)


def test_only_voted_battles_of_ones_own_are_shared(person, browser):
    waiting, open_, another = begin(person), votable(person), voted(make_person())
    for battle in (waiting, open_):
        with pytest.raises(NotVoted):
            share(battle, person)
    with pytest.raises(NotYourBattle):
        share(another, person)
    for battle in (waiting, open_, another):
        assert browser.get(f"/battles/{battle.pk}/share").status_code == 404
        assert browser.post(f"/battles/{battle.pk}/share").status_code == 404
    assert browser.post(f"/battles/{another.pk}/share/revoke").status_code == 404
    assert Share.objects.count() == 0


def test_the_link_is_told_once_and_its_token_is_stored_nowhere(person, browser):
    battle = voted(person)
    page = browser.post(f"/battles/{battle.pk}/share").content.decode()
    address = re.search(r"http://testserver(/shared/[\w-]+)", page)[1]
    assert status(address) == [200, 200]
    later = browser.get(f"/battles/{battle.pk}/share").content.decode()
    token = address.rsplit("/", 1)[1]
    assert token not in later
    assert f'<a href="/battles/{battle.pk}/share">Shared</a>' in browser.get("/mine").content.decode()
    assert "There is a link, made on" in later
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text FROM arena_share s")
        assert token not in f"{cursor.fetchall()}"
    assert [event.verb for event in Event.objects.filter(subject="arena.share")] == ["shared"]


def test_a_revoked_a_replaced_and_a_guessed_link_lead_nowhere(person, browser):
    battle = voted(person)
    old = share(battle, person)
    new = share(battle, person)
    assert (status(old), status(new), status("/shared/guessed")) == ([404, 404], [200, 200], [404, 404])
    assert browser.post(f"/battles/{battle.pk}/share/revoke").status_code == 302
    assert status(new) == [404, 404]
    assert not revoke_share(battle_id=battle.pk, person=person, now=timezone.now())


def test_links_of_an_erased_person_lead_nowhere(person):
    address = share(voted(person), person)
    assert status(address) == [200, 200]
    erase_own(person_id=person.pk, withdraws=False, now=timezone.now())
    assert status(address) == [404, 404]


def test_an_erasure_by_the_operator_ends_them_too(person):
    address = share(voted(person), person)
    erase_person(person_id=person.pk, now=timezone.now())
    assert status(address) == [404, 404]


def test_control_with_the_key_kept_a_share_stays_readable(person, monkeypatch):
    address = share(voted(person), person)
    monkeypatch.setattr("arena.use_cases.erase_own.erase_person", lambda **_: None)
    erase_own(person_id=person.pk, withdraws=False, now=timezone.now())
    assert status(address) == [200, 200]


@pytest.mark.parametrize("state", [RespondentState.BLOCKED, RespondentState.WITHDRAWN])
def test_links_of_who_was_blocked_or_has_withdrawn_lead_nowhere(person, state):
    address = share(voted(person), person)
    Respondent.objects.filter(person=person).update(state=state)
    assert status(address) == [404, 404]


def test_a_model_that_is_not_released_keeps_its_stand_in(canaries, person):
    LanguageModel.objects.update(visibility="hidden")
    address = share(voted(person), person)
    page = whole(Client().get(f"{address}/models"))
    assert "stand-in " in page
    assert [each for each in canaries if each in page] == []


def test_hostile_words_pass_the_sanitiser_of_the_battles_page(person):
    hostile = '<img src=x onerror=alert(1)> <a href="javascript:alert(1)">x</a> <b hx-get="/" hx-trigger="load">y</b>'
    battle = answer(begin(person, prompt=hostile), (hostile, f"**bold** {hostile}"))
    vote(battle, person)
    page = Client().get(share(battle, person)).content.decode()
    for harm in ("<img src=x", '<a href="javascript:', '<b hx-get="/"'):
        assert harm not in page
    own = Client()
    own.cookies[COOKIE] = TOKEN
    at_home = own.get(f"/battles/{battle.pk}").content.decode()
    shown = re.findall(r'<div class="versus__text prose".*?</div>', page, re.DOTALL)
    assert shown == re.findall(r'<div class="versus__text prose".*?</div>', at_home, re.DOTALL)
    assert len(shown) == 2


def test_amounts_are_not_shared(person):
    battle = asked_for_worth(person)
    vote(battle, person, worth={"amount": "17.25", "zero": None, "keep": "17.25"}, acceptable=[True, False])
    page = Client().get(f"{share(battle, person)}/models").content.decode()
    assert "17.25" not in page
    assert "Acceptable" in page or "acceptable" in page


def test_forms_need_their_token_and_looking_changes_nothing(person, browser):
    battle = voted(person)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[COOKIE] = TOKEN
    addresses = (f"/battles/{battle.pk}/share", f"/battles/{battle.pk}/share/revoke")
    assert [strict.post(each).status_code for each in addresses] == [403, 403]
    browser.get(addresses[0])
    assert (browser.get(addresses[1]).status_code, Share.objects.count()) == (405, 0)


def test_the_database_holds_one_link_that_leads_somewhere_for_each_battle(person):
    battle = voted(person)
    share(battle, person)
    with pytest.raises(IntegrityError, match="one_open_share_per_battle"), transaction.atomic():
        Share.objects.create(battle=battle, token_digest="x" * 64, created_at=timezone.now())
    assert open_share(share_digest("x")) is None
