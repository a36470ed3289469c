"""Boards as files, on any day, and their history: what they hold, and who is sent them again."""

import csv
import json
import re
from datetime import datetime
from html import unescape
from io import BytesIO, StringIO

import pyarrow.parquet as pq
import pytest
from django.utils import translation

from accounts.enums import Role
from annotation.boards.lines import ENTRY_SCHEMA, HISTORY_SCHEMA
from annotation.models import Board, Contestant, LeaderboardSnapshot
from tests.annotation.boards.factories import judge, make_board, refreshed
from tests.arena.test_snapshots import hide, served, voted
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = ("json", "csv", "parquet")
HELD = ("method", "code_version", "last_sequence", "retired_sources", "judgments", "standings", "digest")
DAYS = ("2026-03-01T08:00Z", "2026-03-01T23:59:59.999Z", "2026-03-02T00:00Z", "2026-03-05T12:00Z")


def table(answer):
    return pq.read_table(BytesIO(answer.getvalue()))


def lines(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(answer.getvalue().decode())))


def dated() -> Board:
    """A board with a snapshot at each of the moments."""
    board, _ = voted(votes=1, slug="first")
    (snapshot,) = LeaderboardSnapshot.objects.filter(board=board)
    copies = make_board(board.campaign, slug="dated", name="Dated")
    for number, moment in enumerate(DAYS, 1):
        held = {name: getattr(snapshot, name) for name in HELD} | {"judgments": number}
        at = datetime.fromisoformat(moment.replace("Z", "+00:00"))
        LeaderboardSnapshot.objects.create(board=copies, number=number, created_at=at, **held)
    return copies


@pytest.mark.parametrize("number", ["", "/1"])
def test_a_board_is_a_file_of_each_kind_with_the_same_figures(client, number):
    board, _ = voted(votes=1)
    snapshot = LeaderboardSnapshot.objects.get(board=board)
    answers = {kind: client.get(f"/leaderboard/the-board{number}.{kind}") for kind in KINDS}
    entries = snapshot.standings["entries"]
    assert answers["json"].json() == client.get("/api/v1/boards/the-board").json()
    assert answers["json"].json()["standings"] == snapshot.standings
    assert [each["model"] for each in lines(answers["csv"])] == [each["model"] for each in entries]
    held = table(answers["parquet"])
    assert held.schema.remove_metadata() == ENTRY_SCHEMA
    names = ("contestant", "model", "rank", "rating", "votes", "win_rate", "provisional")
    assert held.select(names).to_pylist() == [{name: each[name] for name in names} for each in entries]
    assert held["rating_lower"].to_pylist() == [each["lower"] for each in entries]
    assert set(lines(answers["csv"])[0]) == set(held.schema.names) - {"contestant"}
    assert {name.decode(): text.decode() for name, text in held.schema.metadata.items()} == {
        "cardinal.board": "the-board",
        "cardinal.name": "The board",
        "cardinal.number": "1",
        "cardinal.computed_at": snapshot.created_at.isoformat(),
        "cardinal.method": "bradley_terry",
        "cardinal.code_version": snapshot.code_version,
        "cardinal.filter": "{}",
        "cardinal.last_sequence": str(snapshot.last_sequence),
        "cardinal.retired_sources": "[]",
        "cardinal.judgments": "1",
        "cardinal.digest": snapshot.digest,
        "cardinal.renamed": "false",
    }
    assert answers["parquet"].content == client.get(f"/leaderboard/the-board{number}.parquet").content
    shown = f'attachment; filename="the-board{number.replace("/", "-")}.parquet"'
    assert answers["parquet"]["Content-Disposition"] == shown


def test_what_a_board_would_answer_can_be_asked_for_without_the_answer(client):
    """As a download manager, a cache and whoever watches for news do."""
    voted(votes=1)
    board = "/leaderboard/the-board"
    files = [f"{board}{number}.{kind}" for number in ("", "/1") for kind in (*KINDS, "svg")]
    others = ("", "/1", "/snapshots", "/figures", "/figures/intervals.svg", "/methods", "/compare", "/feed")
    for address in (*files, *(f"{board}{each}" for each in others), f"{board}/history.csv", "/leaderboard"):
        whole, head = client.get(address), client.head(address)
        assert (address, head.status_code, head.get("ETag")) == (address, whole.status_code, whole.get("ETag"))
        assert b"".join(head) == b""


def test_a_kind_a_table_or_a_board_that_there_is_not_is_not_found(client):
    voted(votes=1)
    addresses = ("the-board.xlsx", "the-board.csv?table=secrets", "nowhere.json", "the-board/2.json", "the-board/1.exe")
    assert {client.get(f"/leaderboard/{each}").status_code for each in addresses} == {404}
    assert client.get("/leaderboard/the-board.csv?table=orders").status_code == 200
    make_board(slug="new")
    answer = client.get("/leaderboard/new.parquet")
    assert (answer.status_code, answer.json()) == (404, {"detail": "The board has no snapshot yet."})


@pytest.mark.parametrize(
    "address",
    [
        *(f"/leaderboard/the-board{number}.{kind}" for kind in KINDS for number in ("", "/1")),
        *(f"/leaderboard/the-board/history.{kind}" for kind in KINDS),
        "/api/v1/boards/the-board",
        "/api/v1/boards/the-board/snapshots/1",
    ],
)
def test_who_has_a_file_is_not_sent_it_again_until_a_name_may_be_said_no_longer(client, address):
    _board, (model, _) = served()
    first = client.get(address)
    tag = first["ETag"]
    assert (tag[:2] != "W/", first["Cache-Control"]) == (True, "no-cache")
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.getvalue(), again["ETag"]) == (304, b"", tag)
    # A date alone does not do: names change without one.
    by_date = client.get(address, headers={"If-Modified-Since": first.get("Last-Modified", first.get("Date", ""))})
    assert by_date.status_code == 200
    hide(model)
    changed = client.get(address, headers={"If-None-Match": tag})
    assert (changed.status_code, changed["ETag"] != tag, b"Canary one" in changed.getvalue()) == (200, True, False)


def test_tags_tell_representations_snapshots_and_languages_apart(client, settings):
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    board, (ada, bea, _) = voted(votes=2)
    addresses = [f"/leaderboard/the-board/{number}.{kind}" for number in (1, 2) for kind in KINDS]
    tags = [client.get(address)["ETag"] for address in addresses]
    assert len(set(tags)) == len(addresses)
    german = client.get(addresses[0], headers={"Accept-Language": "de"})
    assert (german["ETag"] != tags[0], "Accept-Language" in german["Vary"]) == (True, True)
    # Another snapshot is behind the address of the newest.
    newest = client.get("/leaderboard/the-board.csv")["ETag"]
    judge(board.campaign, bea, ada)
    refreshed(board)
    assert client.get("/leaderboard/the-board.csv", headers={"If-None-Match": newest}).status_code == 200
    translation.activate("en")


def test_files_of_a_board_that_is_not_public_are_kept_by_nobody_else(client):
    board, _ = voted(votes=1)
    Board.objects.filter(pk=board.pk).update(is_public=False)
    addresses = [*(f"/leaderboard/the-board.{kind}" for kind in KINDS), "/leaderboard/the-board/history.csv"]
    assert {client.get(address).status_code for address in addresses} == {404}
    client.force_login(make_user(role=Role.RESEARCHER))
    assert {client.get(address)["Cache-Control"] for address in addresses} == {"no-cache, private"}


@pytest.mark.parametrize(
    ("day", "number"), [("2026-03-01", 2), ("2026-03-02", 3), ("2026-03-04", 3), ("2026-03-05", 4), ("9999-12-31", 4)]
)
def test_the_board_of_a_day_is_the_newest_snapshot_as_that_day_ended(client, day, number):
    dated()
    assert f"<h1>Snapshot {number}</h1>" in client.get(f"/leaderboard/dated?on={day}").content.decode()
    assert client.get(f"/leaderboard/dated.json?on={day}").json()["number"] == number
    assert client.get(f"/api/v1/boards/dated?on={day}").json()["number"] == number
    held = table(client.get(f"/leaderboard/dated.parquet?on={day}"))
    assert held.schema.metadata[b"cardinal.number"] == b"%d" % number
    named = client.get(f"/leaderboard/dated.csv?on={day}")["Content-Disposition"]
    assert named == f'attachment; filename="dated-{day}-standings.csv"'


@pytest.mark.parametrize(
    ("day", "status", "words"),
    [
        ("2026-02-28", 404, "The board has no snapshot of that day or before."),
        ("0001-01-01", 404, "The board has no snapshot of that day or before."),
        ("yesterday", 400, "YYYY-MM-DD"),
        ("20260301", 400, "YYYY-MM-DD"),
        ("2026-W09-7", 400, "YYYY-MM-DD"),
        ("2026-02-30", 400, "YYYY-MM-DD"),
        ("2026-03-01\x00", 400, "YYYY-MM-DD"),
    ],
)
def test_a_day_before_the_first_snapshot_and_what_is_no_day_are_refused_in_words(client, day, status, words):
    dated()
    answers = [client.get(f"/{each}", {"on": day}) for each in ("leaderboard/dated.json", "api/v1/boards/dated")]
    assert [(answer.status_code, words in answer.json()["detail"]) for answer in answers] == [(status, True)] * 2
    page = client.get("/leaderboard/dated", {"on": day})
    text = unescape(re.sub(r"<[^>]+>", " ", page.content.decode()))
    assert (page.status_code, words in text) == (status, True)


def test_the_history_has_a_line_for_each_model_and_day_from_the_last_snapshot_of_the_day(client):
    board = dated()
    answers = {kind: client.get(f"/leaderboard/dated/history.{kind}") for kind in KINDS}
    assert all(answer.streaming for answer in answers.values())
    held = table(answers["parquet"])
    assert held.schema.remove_metadata() == HISTORY_SCHEMA
    days = [("2026-03-01", 2), ("2026-03-02", 3), ("2026-03-05", 4)]
    wanted = [(day, number, name) for day, number in days for name in ("ada", "bea")]
    assert [(str(line["day"]), line["number"], line["model"]) for line in held.to_pylist()] == wanted
    as_json, as_csv = json.loads(answers["json"].getvalue()), lines(answers["csv"])
    assert [(line["day"], line["number"], line["model"]) for line in as_json] == wanted
    assert [(line["day"], int(line["number"]), line["model"]) for line in as_csv] == wanted
    assert [float(line["rating"]) for line in as_csv] == held["rating"].to_pylist()
    assert list(as_csv[0]) == list(as_json[0]) == HISTORY_SCHEMA.names
    assert (as_json[0]["computed_at"], board.slug) == ("2026-03-01T23:59:59.999000+00:00", "dated")


def test_no_cell_of_the_history_is_a_formula(client):
    voted(votes=1)
    name = '=HYPERLINK("http://x.example")'
    Contestant.objects.filter(name="ada").update(name=name)
    assert {each["model"] for each in lines(client.get("/leaderboard/the-board/history.csv"))} == {f"'{name}", "bea"}


def test_the_history_reads_one_snapshot_at_a_time(client, django_assert_num_queries):
    """The board, its days, everybody and their names, the last moment; and two for each day."""
    dated()
    with django_assert_num_queries(5 + 2 * 3):
        client.get("/leaderboard/dated/history.json").getvalue()


def test_the_list_of_snapshots_is_json_too(client):
    dated()
    assert [each["number"] for each in client.get("/api/v1/boards/dated/snapshots").json()] == [4, 3, 2, 1]
    earlier = client.get("/api/v1/boards/dated/snapshots", {"before": "3"}).json()
    assert [(each["number"], each["computed_at"]) for each in earlier] == [
        (2, "2026-03-01T23:59:59.999000Z"),
        (1, "2026-03-01T08:00:00Z"),
    ]
    assert client.get("/api/v1/boards/dated/snapshots", {"before": "first"}).status_code == 400
