"""A board's feed: an entry for each day that has ended, with who was first."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from annotation.models import Board, Contestant, LeaderboardSnapshot
from tests.annotation.boards.factories import make_board
from tests.arena.test_board_files import DAYS, dated
from tests.arena.test_snapshots import hide, served

pytestmark = pytest.mark.django_db(transaction=True)
ATOM = "{http://www.w3.org/2005/Atom}"
FEED = "/leaderboard/dated/feed"


def entries(answer) -> list[tuple[str, str, str]]:
    """Title, link and when it was updated, of each."""
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
    feed = ElementTree.fromstring(answer.content)
    return [
        (each.find(f"{ATOM}title").text, each.find(f"{ATOM}link").get("href"), each.find(f"{ATOM}updated").text)
        for each in feed.iter(f"{ATOM}entry")
    ]


def test_each_day_is_an_entry_that_leads_to_its_last_snapshot_for_good(client):
    dated()
    assert entries(client.get(FEED)) == [
        ("5 Mar 2026: ada is first", "http://testserver/leaderboard/dated/4", "2026-03-05T12:00:00+00:00"),
        ("2 Mar 2026: ada is first", "http://testserver/leaderboard/dated/3", "2026-03-02T00:00:00+00:00"),
        ("1 Mar 2026: ada is first", "http://testserver/leaderboard/dated/2", "2026-03-01T23:59:59.999000+00:00"),
    ]
    page = client.get("/leaderboard/dated").content.decode()
    link = '<link rel="alternate" type="application/atom+xml" title="Dated" href="/leaderboard/dated/feed">'
    assert link in page


def add(board: Board, number: int, at, *, first: str = "") -> None:
    """A snapshot like the last one; with another model in front, if one is named."""
    last = board.snapshots.order_by("-number")[0]
    held = {name: getattr(last, name) for name in ("method", "code_version", "last_sequence", "judgments", "digest")}
    standings = last.standings
    if first:
        turned = {1: 2, 2: 1}
        flipped = [each | {"rank": turned[each["rank"]]} for each in standings["entries"][::-1]]
        standings = standings | {"entries": flipped}
    LeaderboardSnapshot.objects.create(board=board, number=number, created_at=at, standings=standings, **held)


def test_who_takes_the_first_place_is_said_with_who_had_it(client):
    board = dated()
    moment = board.snapshots.get(number=4).created_at + timedelta(days=1)
    last = board.snapshots.get(number=4)
    assert [each["rank"] for each in last.standings["entries"]] == [1, 2]
    add(board, 5, moment, first="bea")
    title, _link, _updated = entries(client.get(FEED))[0]
    assert title == "6 Mar 2026: bea is first, before it was ada"


def test_the_running_day_comes_when_it_has_ended_and_old_days_go(client, monkeypatch):
    board = dated()
    add(board, 5, timezone.now())
    assert "/leaderboard/dated/5" not in str(entries(client.get(FEED)))
    monkeypatch.setattr("arena.web.board_feed.DAYS", 2)
    assert [title[:5] for title, *_ in entries(client.get(FEED))] == ["5 Mar", "2 Mar"]
    assert len(DAYS) == 4


def test_a_reader_who_has_it_is_not_sent_it_again_until_a_name_changes(client):
    dated()
    answer = client.get(FEED)
    known = {"If-None-Match": answer["ETag"]}
    assert (client.get(FEED, headers=known).status_code, answer["Cache-Control"]) == (304, "no-cache")
    Contestant.objects.filter(name="ada").update(name="<b>zoe</b> & \ufffe")
    assert entries(client.get(FEED, headers=known))[0][0] == "5 Mar 2026: <b>zoe</b> &  is first"


def test_a_model_that_is_hidden_now_is_in_no_entry(client):
    board, models = served()
    add(board, 2, timezone.now() - timedelta(days=2))
    address = "/leaderboard/the-board/feed"
    assert "Canary" in client.get(address).content.decode()
    for model in models:
        hide(model)
    said = client.get(address).content.decode()
    assert ("Canary" in said, "stand-in" in said) == (False, True)


def test_a_board_without_a_day_has_an_empty_feed_and_a_hidden_one_none(client):
    board = make_board(slug="dated")
    assert entries(client.get(FEED)) == []
    Board.objects.filter(pk=board.pk).update(is_public=False)
    assert client.get(FEED).status_code == 404


def test_a_feed_without_an_entry_was_updated_when_its_board_was_made(client):
    board = make_board(slug="new", name="New")
    feed = client.get("/leaderboard/new/feed")
    assert entries(feed) == []
    assert ElementTree.fromstring(feed.content).find(f"{ATOM}author/{ATOM}name").text == "Cardinal"
    assert ElementTree.fromstring(feed.content).find(f"{ATOM}updated").text == board.created_at.isoformat()
