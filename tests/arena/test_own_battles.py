"""One's own battles and the board of one's own votes: what is there, what is not, and what it costs."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Person
from accounts.use_cases.create_person import person_of_user, person_of_visitor
from annotation.models import Contestant, Judgment
from annotation.use_cases.create_board import create_board
from annotation.use_cases.refresh_board import refresh_board
from arena.queries.own import own_boards
from arena.web.visitors import COOKIE
from inference_workers.models import LanguageModel
from tests.annotation.numbering import number_log
from tests.arena.factories import begin, make_arena, make_models, votable
from tests.arena.voting import asked_for_worth, browser_of, prefer, shown, vote, voted
from tests.factories import make_person, make_user

pytestmark = pytest.mark.django_db
TOKEN = "cookie-of-somebody-with-battles"


@pytest.fixture
def person() -> Person:
    make_models()
    return person_of_visitor(token=TOKEN, now=timezone.now())


@pytest.fixture
def browser() -> Client:
    return browser_of(TOKEN)


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert (response.status_code, response["Cache-Control"], response["X-Robots-Tag"]) == (200, "no-store", "noindex")
    return response.content.decode()


def test_a_browser_that_began_nothing_is_told_so_and_is_given_no_cookie(db):
    make_arena()
    stranger = Client()
    assert "No battles yet" in page(stranger, "/mine")
    assert "No votes yet" in page(stranger, "/mine/board")
    assert "Nothing is stored of you" in page(stranger, "/mine/data")
    assert COOKIE not in stranger.cookies
    assert Person.objects.count() == 0


def test_own_battles_are_listed_the_newest_first_and_nobody_elses(person, browser):
    first, second = voted(person, prompt="Why is snow white?"), votable(person, prompt="Why is tar black?")
    votable(make_person(), prompt="Why is grass green?")
    text = page(browser, "/mine")
    assert text.index(f"/battles/{second.pk}") < text.index(f"/battles/{first.pk}")
    assert "Why is snow white?" in text
    assert "Why is tar black?" in text
    assert "grass" not in text


def test_the_way_there_is_shown_to_who_has_something_there(person, browser):
    assert '<a href="/mine">Yours</a>' in page_of(browser)
    assert '/mine"' not in page_of(Client())
    client = Client()
    client.force_login(make_user())
    assert "Your battles and data</a>" in page_of(client)


def page_of(client: Client) -> str:
    return client.get("/about").content.decode()


def test_somebody_signed_in_has_battles_of_their_own(person):
    user = make_user()
    battle = votable(person_of_user(user=user, now=timezone.now()))
    client = Client()
    client.force_login(user)
    client.cookies[COOKIE] = TOKEN
    assert f"/battles/{battle.pk}" in page(client, "/mine")


def test_models_are_named_once_a_battle_is_voted_on_and_not_before(db, browser):
    canaries = make_models(2)
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    begin(person)
    votable(person)
    for address in ("/mine", "/mine/board", "/mine/data", "/mine/data/download"):
        response = browser.get(address)
        text = b"".join(response).decode() if response.streaming else response.content.decode()
        whole = f"{text} {dict(response.headers)} {response.cookies}"
        assert [each for each in canaries if each in whole] == [], address
    battle = voted(person)
    names = [response.contestant.name for response in battle.item.responses.all()]
    text = page(browser, "/mine")
    assert all(name in text for name in names)
    # The endpoint, the provider's name and the system prompt are nobody's to know, whatever was voted.
    assert not any(each in text for each in canaries if "provider" in each or "system" in each or "endpoint" in each)


def test_control_a_list_that_named_open_battles_would_be_caught(person, browser, monkeypatch):
    monkeypatch.setattr(
        "arena.queries.own.OwnBattle.state_words", property(lambda self: Contestant.objects.first().name)
    )
    begin(person)
    assert Contestant.objects.first().name in page(browser, "/mine")


def test_a_model_that_is_not_released_keeps_its_stand_in(db, browser):
    canaries = make_models(2)
    LanguageModel.objects.update(visibility="hidden")
    person = person_of_visitor(token=TOKEN, now=timezone.now())
    voted(person)
    for address in ("/mine", "/mine/board"):
        text = page(browser, address)
        assert "stand-in " in text
        assert not any(canary in text for canary in canaries)


def test_a_hostile_prompt_is_shown_as_it_was_written(person, browser):
    votable(person, prompt="<script>alert(1)</script>")
    text = page(browser, "/mine")
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_board_is_what_one_counts_by_hand(person):
    """Six battles of two models: four for the first, one for the second, one without a difference."""
    for _ in range(4):
        prefer(person, first_of_two(person))
    first, second = sorted(Contestant.objects.values_list("pk", flat=True))
    prefer(person, second)
    tied = votable(person)
    vote(tied, person, choice="tie")
    (board,) = own_boards(person)
    names = dict(Contestant.objects.values_list("pk", "name"))
    rows = {row.name: (row.met, row.preferred, row.share) for row in board.rows}
    assert rows == {names[first]: (6, 4, 4.5 / 6), names[second]: (6, 1, 1.5 / 6)}
    assert (board.votes, board.accord.votes, board.accord.share) == (6, 0, None)


def first_of_two(person: Person) -> int:
    if not Contestant.objects.exists():
        votable(person)
    return min(Contestant.objects.values_list("pk", flat=True))


def test_acceptable_and_amounts_count_for_the_side_that_they_were_given_to(person):
    first = first_of_two(person)
    for number in range(5):
        battle = asked_for_worth(person)
        side = shown(battle).index(first)
        accepted = [place == side for place in range(2)]
        amount = {"amount": f"{number}.50", "zero": None, "keep": f"{number}.50"}
        vote(battle, person, choice="ab"[side], acceptable=accepted, worth=amount)
    (board,) = own_boards(person)
    better, worse = board.rows
    assert (better.acceptable, better.amount, better.share) == (1.0, Decimal("2.50"), 1.0)
    assert (worse.acceptable, worse.amount, worse.share) == (0.0, Decimal("-2.50"), 0.0)
    assert Judgment.objects.filter(net_utility__isnull=False).count() == 5


def test_of_fewer_than_five_nothing_is_said(person, browser):
    first = first_of_two(person)
    for _ in range(4):
        prefer(person, first)
    assert page(browser, "/mine/board").count("Too few to say</td>") == 2
    prefer(person, first)
    assert "Too few to say</td>" not in page(browser, "/mine/board")


def test_it_says_how_often_one_agrees_with_the_public_board(person, browser):
    first = first_of_two(person)
    for _ in range(6):
        prefer(make_person(), first)
    prefer(make_person(), max(Contestant.objects.values_list("pk", flat=True)))
    for _ in range(4):
        prefer(person, first)
    prefer(person, max(Contestant.objects.values_list("pk", flat=True)))
    number_log()
    board = create_board(slug="arena-board", name="All", campaign=make_arena().campaign, now=timezone.now())
    assert refresh_board(board_id=board.pk, now=timezone.now()) is not None
    (own,) = own_boards(person)
    assert (own.accord.votes, own.accord.agreeing) == (5, 4)
    assert "In 4 of the 5" in page(browser, "/mine/board")


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(address)
        assert response.status_code == 200
        if response.streaming:
            b"".join(response)
    return len(captured)


def test_thirty_battles_take_as_many_queries_as_one(person, browser):
    addresses = ("/mine", "/mine/board", "/mine/data", "/mine/data/download")
    voted(person)
    one = {address: queries_of(browser, address) for address in addresses}
    for number in range(29):
        voted(person) if number % 2 else votable(person)
    assert {address: queries_of(browser, address) for address in addresses} == one
