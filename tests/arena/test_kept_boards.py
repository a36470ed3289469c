"""The page of a board is made once for everybody, and anew with whatever it shows."""

import re

import pytest
from django.core.cache import caches
from django.shortcuts import render
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import RespondentKind
from annotation.models import Board, Contestant
from annotation.use_cases.retire_simulations import retire_simulations
from arena.models import Arena, Entry
from arena.web import kept_boards
from arena.web.kept_boards import stamped
from arena.web.visitors import COOKIE
from inference_workers.models import LanguageModel
from tests.annotation.boards.factories import judge, make_board, refreshed
from tests.arena.test_leaderboard import arena_board
from tests.arena.test_snapshots import hide
from tests.factories import make_respondent, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/leaderboard/arena"


@pytest.fixture(autouse=True)
def nothing_kept():
    caches["pages"].clear()
    yield
    caches["pages"].clear()


def voted_arena(*, simulated: int = 0) -> tuple[Board, list[Contestant]]:
    board, contestants = arena_board(simulated=simulated)
    respondent = make_respondent(board.campaign, kind=RespondentKind.VISITOR)
    judge(board.campaign, *contestants[:2], respondent=respondent)
    refreshed(board)
    return board, contestants


def without_nonce(answer) -> str:
    assert answer.status_code == 200
    return re.sub(r'nonce="[^"]*"', "", answer.content.decode())


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """The templates of boards that were rendered, in turn."""
    names: list[str] = []

    def counted(request, template, *rest, **options):
        names.append(template)
        return render(request, template, *rest, **options)

    monkeypatch.setattr("arena.web.board_page.render", counted)
    return names


def new_snapshot(board: Board, contestants: list[Contestant]) -> None:
    judge(board.campaign, contestants[1], contestants[0])
    refreshed(board)


def another_board(board: Board, contestants: list[Contestant]) -> None:
    make_board(board.campaign, slug="beside", name="Beside")


def votes_of_another_board(board: Board, contestants: list[Contestant]) -> None:
    refreshed(Board.objects.get(slug="first-beside"))


def a_model_enters(board: Board, contestants: list[Contestant]) -> None:
    model = LanguageModel.objects.order_by("pk")[0]
    Entry.objects.create(arena=Arena.objects.get(), language_model=model, was_private=False)


def a_waiting_model_is_renamed(board: Board, contestants: list[Contestant]) -> None:
    LanguageModel.objects.filter(slug="r").update(name="Model r2")


def a_contestant_is_renamed(board: Board, contestants: list[Contestant]) -> None:
    Contestant.objects.filter(pk=contestants[0].pk).update(name="Another name")


def a_model_is_hidden(board: Board, contestants: list[Contestant]) -> None:
    hide(contestants[0].revision.language_model)


def the_board_is_renamed(board: Board, contestants: list[Contestant]) -> None:
    Board.objects.filter(pk=board.pk).update(name="Renamed")


def sources_are_retired(board: Board, contestants: list[Contestant]) -> None:
    retire_simulations(campaign=board.campaign, actor=None, reason="enough", now=timezone.now())
    refreshed(board)


CHANGES = [
    new_snapshot,
    another_board,
    votes_of_another_board,
    a_model_enters,
    a_waiting_model_is_renamed,
    a_contestant_is_renamed,
    a_model_is_hidden,
    the_board_is_renamed,
    sources_are_retired,
]


def shows_a_change(client, change) -> bool:
    """Whether the page, and its tag, are others after the change; where nothing changed they are not."""
    board, contestants = voted_arena(simulated=10)
    make_board(board.campaign, slug="first-beside", name="Was there before")
    first, again = client.get(PAGE), client.get(PAGE)
    assert (without_nonce(first), first["ETag"]) == (without_nonce(again), again["ETag"])
    change(board, contestants)
    changed = client.get(PAGE)
    is_other = without_nonce(changed) != without_nonce(first)
    assert is_other == (changed["ETag"] != first["ETag"])
    return is_other


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_page_shows_makes_it_anew(client, change):
    assert shows_a_change(client, change)


@pytest.mark.parametrize("change", CHANGES)
def test_control_without_the_stamp_the_page_of_before_is_shown(client, change, monkeypatch):
    monkeypatch.setattr("arena.web.board_page.stamp_of", lambda context: "always the same")
    assert not shows_a_change(client, change)


def test_a_page_is_made_once_for_everybody_and_apart_for_who_reads_it_otherwise(client, made, settings):
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    voted_arena()
    visitor = Client()
    visitor.cookies[COOKIE] = "a-visitor-of-this-test"
    for _ in range(2):
        pages = {
            "page": client.get(PAGE),
            "default": client.get("/leaderboard"),
            "visitor": visitor.get(PAGE),
            "language": client.get(PAGE, headers={"Accept-Language": "de"}),
            "open": client.get(PAGE, headers={"HX-Request": "true"}),
            "number": client.get(f"{PAGE}/1"),
        }
        assert len({answer["ETag"] for answer in pages.values()}) == len(pages)
    page, part, frozen = ("leaderboard", "leaderboard_standings", "leaderboard_snapshot")
    assert made == [f"arena/{name}.html" for name in (page, page, page, page, part, frozen)]
    assert ("Yours" in without_nonce(pages["visitor"]), "Yours" in without_nonce(pages["page"])) == (True, False)
    assert 'lang="de"' in without_nonce(pages["language"])
    assert "<html" not in without_nonce(pages["open"])


def test_each_answer_has_a_nonce_of_its_own_and_no_cookie_or_token(client, settings):
    settings.BOARD_PAGE_SECONDS = 60
    voted_arena()
    answers = [client.get(PAGE) for _ in range(3)]
    nonces = [set(re.findall(r'nonce="([^"]+)"', answer.content.decode())) for answer in answers]
    assert [len(each) for each in nonces] == [1, 1, 1]
    assert len(set.union(*nonces)) == 3
    for answer, (nonce,) in zip(answers, nonces, strict=True):
        assert f"'nonce-{nonce}'" in answer["Content-Security-Policy"]
        assert int(answer["Content-Length"]) == len(answer.content)
        assert (answer.cookies, "hx-headers" in answer.content.decode()) == ({}, False)
    heads = [{k: v for k, v in answer.items() if k != "Content-Security-Policy"} for answer in answers]
    assert heads[0] == heads[1] == heads[2]
    assert {"X-Frame-Options", "X-Content-Type-Options", "Content-Language", "Vary"} <= heads[0].keys()
    assert {"Cookie", "Accept-Language", "HX-Request"} <= set(heads[0]["Vary"].split(", "))


def test_who_has_the_page_is_not_sent_it_again_and_keeps_the_policy_of_its_nonce(client, settings):
    settings.BOARD_PAGE_SECONDS = 60
    voted_arena()
    tag = client.get(PAGE)["ETag"]
    for _ in range(2):
        answer = client.get(PAGE, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
        assert "Content-Security-Policy" not in answer
        caches["pages"].clear()
    assert client.get(PAGE, headers={"If-None-Match": 'W/"another"'}).status_code == 200


def test_for_a_second_nothing_is_asked_but_by_a_page_that_is_open(client, settings, django_assert_num_queries):
    settings.BOARD_PAGE_SECONDS = 60
    board, contestants = voted_arena()
    before = without_nonce(client.get(PAGE))
    the_board_is_renamed(board, contestants)
    with django_assert_num_queries(0):
        assert without_nonce(client.get(PAGE)) == before
    new_snapshot(board, contestants)
    assert 'data-number="2"' in client.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert 'data-number="1"' in without_nonce(client.get(PAGE))


def test_who_is_signed_in_or_has_a_message_gets_a_page_of_their_own(client, settings, made):
    settings.BOARD_PAGE_SECONDS = 60
    voted_arena()
    client.get(PAGE)
    person = Client()
    person.force_login(make_user(username="somebody", role=Role.OPERATOR))
    told = Client()
    told.cookies["messages"] = "unread"
    pages = [without_nonce(each.get(PAGE)) for each in (person, told)]
    assert ("somebody" in pages[0], "hx-headers" in pages[0], "hx-headers" in pages[1]) == (True, True, True)
    assert made == ["arena/leaderboard.html"] * 3
    assert "somebody" not in without_nonce(client.get(PAGE))


def test_a_board_that_is_hidden_is_hidden_from_who_has_its_page(client):
    board, _ = voted_arena()
    other = make_board(board.campaign, slug="other")
    refreshed(other)
    tag = client.get("/leaderboard/other")["ETag"]
    Board.objects.filter(pk=other.pk).update(is_public=False)
    assert client.get("/leaderboard/other", headers={"If-None-Match": tag}).status_code == 404
    person = Client()
    person.force_login(make_user(role=Role.RESEARCHER))
    assert "ETag" not in person.get("/leaderboard/other")


def test_a_cache_that_is_down_still_gives_the_page(client, settings, made):
    settings.BOARD_PAGE_SECONDS = 60
    away = settings.CACHES["summaries"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = settings.CACHES | {"pages": {**away, "OPTIONS": {"socket_connect_timeout": 1}}}
    voted_arena()
    first, second = client.get(PAGE), client.get(PAGE)
    assert (without_nonce(first), len(made)) == (without_nonce(second), 2)
    assert client.get(PAGE, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_a_host_that_is_not_this_site_gets_no_kept_page(client, settings):
    settings.BOARD_PAGE_SECONDS = 60
    voted_arena()
    client.get(PAGE)
    assert client.get(PAGE, headers={"Host": "elsewhere.example"}).status_code == 400


def test_what_cannot_be_looked_into_is_an_error_and_nothing_is_left_out():
    with pytest.raises(TypeError, match="a page that is kept cannot depend on set"):
        stamped({"others": {1, 2}})
    with pytest.raises(TypeError, match="QuerySet"):
        stamped({"boards": Board.objects.all()})


def test_the_addresses_that_are_kept_are_those_of_boards():
    kept = [each for each in ("", "/arena", "/arena/12") if kept_boards.ADDRESSES.fullmatch(f"/leaderboard{each}")]
    assert kept == ["", "/arena", "/arena/12"]
    others = ("/arena.json", "/arena/compare", "/arena/snapshots", "/arena/12.csv", "/arena/history.csv", "s")
    assert not any(kept_boards.ADDRESSES.fullmatch(f"/leaderboard{each}") for each in others)
