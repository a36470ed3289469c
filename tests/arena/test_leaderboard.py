"""The public leaderboard: what stands on it with no, one and many votes, and who may retire what is simulated."""

import asyncio
import json
import re
from html import unescape

import pytest
from django.core.management import call_command
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.enums import RespondentKind
from annotation.models import Board, Contestant, Event, Source
from annotation.tasks import number_judgments
from annotation.use_cases.advance_board import advance_board
from annotation.use_cases.enter_contestant import enter_contestant
from annotation.use_cases.retire_simulations import retire_simulations
from annotation.use_cases.simulate_judgments import simulate_judgments
from arena.queries import default_board, newest_standings
from arena.web import streams
from tests.annotation.boards.factories import judge, make_board, refreshed
from tests.arena.factories import make_arena
from tests.factories import make_campaign, make_contestant, make_respondent, make_user
from tests.inference_workers.factories import make_revision

pytestmark = pytest.mark.django_db(transaction=True)
SWAP = {"HX-Request": "true"}


def words(answer):
    """The text of a page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def arena_board(*, simulated=0):
    arena = make_arena()
    board = make_board(arena.campaign, slug="arena", name="Arena")
    contestants = [enter_contestant(revision=make_revision(model={"name": f"Model {n}", "slug": n})) for n in "pqr"]
    if simulated:
        simulate_judgments(
            campaign=arena.campaign, contestants=contestants[:2], judgments=simulated, seed=3, now=timezone.now()
        )
    return board, contestants


def test_without_an_arena_there_is_a_page_that_says_so(client):
    answer = client.get("/leaderboard")
    assert answer.status_code == 200
    assert "No board yet" in words(answer)


def test_before_the_first_snapshot_the_page_says_that_it_comes(client):
    arena_board()
    assert "Not computed yet" in words(client.get("/leaderboard"))


def test_a_snapshot_of_another_version_of_the_code_is_no_failure(client, monkeypatch):
    board, _ = arena_board()
    monkeypatch.setattr("annotation.use_cases.refresh_board.CODE_VERSION", "0")
    monkeypatch.setattr(
        "annotation.use_cases.refresh_board.standings_of", lambda *_, **__: {"people": {"judgments": 0}}
    )
    refreshed(board)
    assert "Not computed yet" in words(client.get("/leaderboard"))
    assert client.get(f"/api/v1/boards/{board.slug}").json()["standings"] is None


def test_with_no_votes_it_names_the_models_that_wait(client):
    board, _ = arena_board()
    refreshed(board)
    text = words(client.get("/leaderboard"))
    assert "No ratings yet No vote compares two models yet, so nobody has a rating. Start a battle" in text
    assert "Model p – In battles, no votes yet Model q – In battles, no votes yet" in text


def test_with_one_vote_of_neither_acceptable_it_says_so_and_not_that_there_is_no_vote(client):
    board, (p, q, _) = arena_board(simulated=20)
    judge(board.campaign, p, q, acceptable=(False, False))
    retire_simulations(campaign=board.campaign, actor=None, reason="enough", now=timezone.now())
    refreshed(board)
    text = words(client.get("/leaderboard"))
    assert "No ratings yet 1 vote so far, of “neither is acceptable”, which compares nobody. Start a battle" in text
    assert "No vote compares" not in text


def test_with_one_vote_both_models_are_provisional_and_the_third_waits(client):
    board, (p, q, _) = arena_board()
    judge(board.campaign, p, q, respondent=make_respondent(board.campaign, kind=RespondentKind.VISITOR))
    refreshed(board)
    text = words(client.get("/leaderboard"))
    assert "What 1 visitor preferred on 1 given prompt" in text
    assert re.search(r"Model p Provisional 1–2 1\d\d\d above \d+ 1 100 %", text)
    assert re.search(r"Model q Provisional 1–2 [89]\d\d below \d+ 1 0 %", text)
    assert "Model r – In battles, no votes yet" in text
    assert "imulated" not in text.replace("0 simulated", "")


def test_the_whole_page_shows_what_the_snapshot_holds(client):
    call_command("seed_demo")
    standings = default_board().snapshots.get().standings
    answer = client.get("/leaderboard")
    text = words(answer)
    for entry in standings["entries"]:
        assert f"{entry['model']} Simulated" in text
        assert f"{entry['rating']:.0f} {entry['lower']:.0f} to {entry['upper']:.0f} {entry['votes']}" in text
        assert f"{abs(entry['worth']['value']):.2f}" in text
    worth = standings["worth"]
    assert f"{worth['answered']} of {worth['asked']} asked gave an amount" in text
    assert f"{standings['excluded']['neither']} (" in text
    assert "All of it is simulated: these people do not exist." in text
    assert "0 given here, 0 imported, 600 simulated" in text
    assert reverse("board-file", args=["arena", "json"]) in answer.content.decode()
    assert 'data-votes="600"' in answer.content.decode()


def test_a_page_that_is_open_gets_the_standings_alone(client):
    board, (p, q, _) = arena_board()
    judge(board.campaign, p, q)
    refreshed(board)
    part = client.get("/leaderboard/arena", headers=SWAP)
    assert part.content.decode().strip().startswith('<div class="stack stack--loose" id="standings" data-votes="1"')
    assert "<html" not in part.content.decode()
    assert ("HX-Request" in part["Vary"], part["Cache-Control"]) == (True, "no-cache")


def test_the_number_of_queries_does_not_grow_with_the_entries(client, django_assert_num_queries):
    campaign = make_campaign()
    board = make_board(campaign, slug="one")
    first, *others = [make_contestant(campaign) for _ in range(4)]
    for number, other in enumerate(others):
        judge(campaign, first, other)
        refreshed(board)
        if number in (0, 2):
            with django_assert_num_queries(8):
                client.get("/leaderboard/one")


def test_boards_that_are_not_public_do_not_exist(client):
    Board.objects.filter(pk=make_board(slug="hidden").pk).update(is_public=False)
    for path in ("/leaderboard/hidden", "/leaderboard/nowhere"):
        assert client.get(path).status_code == 404
    assert "hidden" not in words(client.get(f"/leaderboard/{make_board(slug='shown').slug}"))


def test_other_public_boards_are_listed(client):
    arena_board()
    make_board(slug="second", name="Second board")
    assert "Other boards Second board Not computed yet" in words(client.get("/leaderboard"))


def test_models_that_never_met_stand_in_groups(client):
    campaign = make_campaign()
    board = make_board(campaign, slug="groups")
    ada, bea, cleo, dora = [make_contestant(campaign, name) for name in ("ada", "bea", "cleo", "dora")]
    judge(campaign, ada, bea)
    judge(campaign, cleo, dora)
    refreshed(board)
    text = words(client.get("/leaderboard/groups"))
    assert "ratings of different groups cannot be compared" in text
    assert "Group 1, ranked by itself ada" in text
    assert "Group 2, ranked by itself cleo" in text


def test_names_of_models_are_escaped(client):
    campaign = make_campaign()
    board = make_board(campaign, slug="names")
    judge(campaign, make_contestant(campaign, "<b hx-post=/x>bold</b>"), make_contestant(campaign, "plain"))
    refreshed(board)
    page = client.get("/leaderboard/names").content.decode()
    assert "<b hx-post" not in page
    assert "&lt;b hx-post=/x&gt;bold&lt;/b&gt;" in page


ROLES = [None, "nobody", Role.ANNOTATOR, Role.REVIEWER, Role.RESEARCHER, Role.CAMPAIGN_ADMIN, Role.OPERATOR]
MAY = {Role.CAMPAIGN_ADMIN, Role.OPERATOR}


def sign_in(client, role):
    if role is not None:
        client.force_login(make_user(role=None if role == "nobody" else role))


@pytest.mark.parametrize("role", ROLES)
def test_only_those_who_run_campaigns_may_retire_the_simulated_judgments(client, role):
    board, _ = arena_board(simulated=30)
    refreshed(board)
    sign_in(client, role)
    offered = "Retire the simulated judgments" in words(client.get("/leaderboard"))
    answer = client.post("/leaderboard/arena/retire-simulated")
    expected = (True, 302, "retired") if role in MAY else (False, 404, "active")
    assert (offered, answer.status_code, Source.objects.get(kind="simulation").state) == expected
    restored = client.post("/leaderboard/arena/restore-simulated")
    assert restored.status_code == (302 if role in MAY else 404)


def test_retiring_takes_the_simulated_judgments_and_every_label_off_the_page(client):
    board, (p, q, _) = arena_board(simulated=60)
    judge(board.campaign, p, q)
    refreshed(board)
    assert "60 of 61 judgments are simulated" in words(client.get("/leaderboard"))
    assert "98 % simulated" in words(client.get("/leaderboard"))
    sign_in(client, Role.OPERATOR)
    client.post("/leaderboard/arena/retire-simulated")
    client.logout()
    answer = client.get("/leaderboard")
    assert 'data-votes="1" data-number="2"' in answer.content.decode()
    # What is left is the count of none, and the name of what was retired.
    assert re.findall(r"\S+ \S*imulated", words(answer)) == ["0 simulated", "sources Simulated"]
    event = Event.objects.get(verb="retired")
    assert (event.from_state, event.to_state, event.reason) == ("active", "retired", "on the leaderboard")
    assert event.actor.user.role_names == {"operator"}


def test_what_was_retired_can_be_restored_on_the_page(client):
    board, _ = arena_board(simulated=30)
    before = refreshed(board)
    sign_in(client, Role.CAMPAIGN_ADMIN)
    client.post("/leaderboard/arena/retire-simulated")
    assert "Restore them" in words(client.get("/leaderboard"))
    client.post("/leaderboard/arena/restore-simulated")
    assert board.snapshots.get(number=3).digest == before.digest


def test_retiring_takes_a_post(client):
    arena_board(simulated=10)
    sign_in(client, Role.OPERATOR)
    assert client.get("/leaderboard/arena/retire-simulated").status_code == 405


def test_the_reveal_reads_its_standing_from_the_board():
    board, (p, q, _) = arena_board()
    judge(board.campaign, p, q)
    snapshot = refreshed(board)
    standings = newest_standings(board.campaign_id)
    assert {pk: entry["model"] for pk, entry in standings.items()} == {p.pk: "Model p", q.pk: "Model q"}
    assert standings[p.pk] == snapshot.standings["entries"][0]
    assert Contestant.objects.count() == 3


def and_let_go(act):
    act()
    connections.close_all()


async def first_events(slug, count, between):
    """The events of a board's stream; `between` is called after the first."""
    seen = []
    events = await streams.board_events(slug)
    async for text in events:
        if text.startswith("id:"):
            seen.append((re.search("event: (.*)", text)[1], json.loads(re.search("data: (.*)", text)[1])))
            if len(seen) == count:
                await events.aclose()
                return seen
            await asyncio.to_thread(and_let_go, between)
    return seen


def test_the_stream_says_which_number_is_the_newest_and_then_each_new_one():
    board, (p, q, _) = arena_board()

    def vote():
        judge(board.campaign, p, q)
        refreshed(board)

    assert asyncio.run(first_events("arena", 3, vote)) == [
        ("board", {"number": 0}),
        ("board", {"number": 1}),
        ("board", {"number": 2}),
    ]


def test_the_stream_tells_points_as_votes_move_them_before_any_new_snapshot():
    board, (p, q, _) = arena_board()
    judge(board.campaign, p, q)
    refreshed(board)
    advance_board(board_id=board.pk, now=timezone.now())

    async def two_moves():
        told = []
        async for text in await streams.board_events("arena"):
            if text.startswith("event: points"):
                told.append(json.loads(re.search("data: (.*)", text)[1]))
                if len(told) == 2:
                    return told
                await asyncio.to_thread(and_let_go, vote)

    def vote():
        judge(board.campaign, p, q)
        number_judgments()

    before, after = asyncio.run(two_moves())
    assert (before["comparisons"], after["comparisons"], after["sequence"]) == (1, 2, before["sequence"] + 1)
    assert after["points"].keys() == {str(p.pk), str(q.pk)}
    assert after["points"][str(p.pk)] > before["points"][str(p.pk)]
    assert board.snapshots.count() == 1


def test_a_board_that_is_taken_from_the_public_ends_its_stream():
    board, _ = arena_board()

    def hide():
        Board.objects.filter(pk=board.pk).update(is_public=False)

    assert asyncio.run(first_events("arena", 3, hide)) == [("board", {"number": 0})]
    assert asyncio.run(streams.board_events("arena")) is None
