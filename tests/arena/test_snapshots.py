"""Snapshots of a board by their numbers: what each address shows for good, and whom it names."""

import re
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.boards import compute_standings, digest_of
from annotation.models import Board, Contestant, LeaderboardSnapshot
from annotation.queries import standing_judgments
from annotation.use_cases.enter_contestant import enter_contestant
from annotation.use_cases.refresh_board import seed_of
from arena.web.board_files import KINDS, WRITERS
from inference_workers.enums import Visibility
from inference_workers.models import LanguageModel
from tests.annotation.boards.factories import judge, make_board, refreshed, three
from tests.factories import make_campaign, make_user
from tests.inference_workers.factories import make_revision

pytestmark = pytest.mark.django_db(transaction=True)


def words(answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def voted(*, votes: int = 3, **fields) -> tuple[Board, list[Contestant]]:
    """A board with a snapshot after each vote."""
    campaign = make_campaign()
    contestants = three(campaign)
    board = make_board(campaign, **({"slug": "the-board", "name": "The board"} | fields))
    for number in range(votes):
        judge(campaign, contestants[0], contestants[1 + number % 2])
        refreshed(board)
    return board, list(contestants)


def served() -> tuple[Board, list[LanguageModel]]:
    """A board of two language models that anybody may run, with a snapshot."""
    campaign = make_campaign()
    revisions = [make_revision(model={"name": f"Canary {n}", "slug": n}) for n in ("one", "two")]
    contestants = [enter_contestant(revision=each) for each in revisions]
    board = make_board(campaign, slug="the-board", name="The board")
    judge(campaign, *contestants)
    refreshed(board)
    return board, [each.language_model for each in revisions]


def hide(model: LanguageModel) -> None:
    LanguageModel.objects.filter(pk=model.pk).update(visibility=Visibility.HIDDEN)


def everything(client, board: Board, number: int = 1) -> str:
    """All that its addresses say of a snapshot."""
    addresses = [
        *(reverse("board-snapshot", args=[board.slug, number]) + ending for ending in ("", "?format=csv")),
        *(reverse(name, args=[board.slug]) for name in ("board-snapshots", "board", "api-board", "api-snapshots")),
        f"/leaderboard/{board.slug}?on={timezone.now():%Y-%m-%d}",
        reverse("api-snapshot", args=[board.slug, number]),
        *(reverse("board-file", args=[board.slug, kind]) for kind in KINDS),
        *(reverse("board-snapshot-file", args=[board.slug, number, kind]) for kind in KINDS),
        *(reverse("board-history", args=[board.slug, kind]) for kind in WRITERS),
    ]
    answers = [client.get(address) for address in addresses]
    assert [answer.status_code for answer in answers] == [200] * len(addresses)
    return " ".join(answer.getvalue().decode(errors="replace") for answer in answers)


def test_each_snapshot_has_an_address_that_stays_as_it_is_and_leads_to_its_neighbours(client):
    board, _ = voted()
    second = LeaderboardSnapshot.objects.get(board=board, number=2)
    page = client.get("/leaderboard/the-board/2")
    text, html = words(page), page.content.decode()
    assert "Snapshot 2 The board" in text
    assert "the board as it was then. The newest snapshot is number 3." in text
    assert (second.digest in text, f"up to entry {second.last_sequence}" in text) == (True, True)
    links = dict(re.findall(r'rel="(canonical|prev|next)" href="([^"]+)"', html))
    assert links == {f: f"/leaderboard/the-board{n}" for f, n in (("canonical", "/2"), ("prev", "/1"), ("next", "/3"))}
    assert ("data-board-stream" in html, "data-points-of" in html) == (False, False)
    rating = f"{second.standings['entries'][0]['rating']:.0f}"
    assert re.search(rf"ada Provisional [\d–]+ {rating} .*? 2 100 %", text)
    newest = client.get("/leaderboard/the-board").content.decode()
    assert '<link rel="canonical" href="/leaderboard/the-board">' in newest
    assert 'href="/leaderboard/the-board/3"' in newest


def test_the_list_says_of_each_snapshot_what_changed(client, django_assert_num_queries):
    board, _ = voted(votes=2)
    Board.objects.filter(pk=board.pk).update(method="bt_half")
    refreshed(board)
    with django_assert_num_queries(5):
        text = words(client.get("/leaderboard/the-board/snapshots"))
    rows = [
        f"{each.number} {each.created_at:%-d %b %Y, %H:%M} UTC {each.judgments} {change}"
        f" {each.get_method_display()} {each.digest[:12]}"
        for each, change in zip(
            LeaderboardSnapshot.objects.filter(board=board).order_by("-number"),
            ("another method", "1 more", "the first"),
            strict=True,
        )
    ]
    assert " ".join(rows) in text


def test_the_list_comes_in_pages(client, monkeypatch):
    voted()
    monkeypatch.setattr("arena.web.snapshots.PER_PAGE", 2)
    first, last = (words(client.get("/leaderboard/the-board/snapshots", {"page": n})) for n in ("1", "2"))
    assert ("1–2 of 3" in first, "3–3 of 3" in last, "1 the first" in re.sub(r"\d+ \w+ \d+, .*? UTC ", "", last)) == (
        True,
        True,
        True,
    )


def test_before_the_first_snapshot_the_list_is_empty_and_no_number_is_there(client):
    make_board(slug="new")
    assert "Not computed yet" in words(client.get("/leaderboard/new/snapshots"))
    assert {client.get(f"/leaderboard/new/{number}").status_code for number in (0, 1, 2**40, 10**30)} == {404}


def test_who_does_not_see_the_board_sees_none_of_its_snapshots(client):
    board, _ = voted(votes=1)
    Board.objects.filter(pk=board.pk).update(is_public=False)
    addresses = ("/leaderboard/the-board/1", "/leaderboard/the-board/snapshots")
    assert {client.get(each).status_code for each in addresses} == {404}
    client.force_login(make_user(role=Role.RESEARCHER))
    assert {client.get(each).status_code for each in addresses} == {200}
    assert "Not public" in words(client.get(addresses[0]))


def named_in_old_snapshots(client) -> bool:
    board, (model, _) = served()
    assert "Canary one" in everything(client, board)
    hide(model)
    said = everything(client, board)
    assert "Canary two" in said
    stored = LeaderboardSnapshot.objects.get(board=board)
    return "Canary one" in said or stored.digest[:12] in said


def test_a_model_that_is_hidden_now_is_named_by_no_old_snapshot_and_not_given_away_by_its_hash(client):
    assert not named_in_old_snapshots(client)


def test_control_without_the_names_of_now_an_old_snapshot_names_who_is_hidden(client, monkeypatch):
    monkeypatch.setattr("annotation.queries.snapshots.named_as_now", lambda snapshot: snapshot)
    assert named_in_old_snapshots(client)


def test_a_model_is_called_in_every_snapshot_what_it_is_called_today(client):
    """Also the order of equals is that of the names of today: it would tell of the letters of the former ones."""
    board, contestants = voted(votes=1)
    names = Contestant.objects.filter(pk=contestants[0].pk)
    names.update(name="zoe")
    text = words(client.get("/leaderboard/the-board/1"))
    assert ("zoe" in text, "ada" in text) == (True, False)
    assert "Models are called what they are called today." in text
    assert LeaderboardSnapshot.objects.get(board=board).digest in text


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_snapshots_of_older_arithmetic_are_shown_as_they_were(client, version):
    board, _ = voted(votes=1)
    options = {"method": board.method, "seed": seed_of(board.campaign_id, {}), "merged": {}}
    old = compute_standings(standing_judgments(board.campaign), **options, version=version)
    newest = LeaderboardSnapshot.objects.get(board=board)
    fields = {"board": board, "method": board.method, "slice": {}, "retired_sources": [], "judgments": 1}
    LeaderboardSnapshot.objects.create(
        number=2,
        code_version=version,
        last_sequence=newest.last_sequence,
        standings=old,
        digest=digest_of(old),
        **fields,
    )
    text = words(client.get("/leaderboard/the-board/2"))
    assert ("ada Provisional" in text, f"Version of the arithmetic {version}" in text) == (True, True)


def test_a_snapshot_that_this_code_cannot_read_is_not_there(client):
    board, _ = voted(votes=1)
    fields = {"board": board, "method": board.method, "last_sequence": 9, "judgments": 1, "digest": "0" * 64}
    LeaderboardSnapshot.objects.create(number=2, code_version="0", standings={"shape": "of old"}, **fields)
    assert client.get("/leaderboard/the-board/2").status_code == 404
    assert "/leaderboard/the-board/2" not in client.get("/leaderboard/the-board/snapshots").content.decode()
