"""`manage.py import_votes`: what it prints, what it refuses, and the board it leaves."""

import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test import Client

from accounts.enums import Role
from annotation.enums import SourceKind, SourceState
from annotation.management.commands import import_votes as command
from annotation.models import Board, Judgment, LeaderboardSnapshot
from annotation.queries import latest_snapshot
from annotation.use_cases.create_campaign import create_campaign
from tests.annotation.imports.files import write
from tests.annotation.imports.test_import_votes import NOW, VOTES
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def run(path, *arguments):
    out = StringIO()
    call_command("import_votes", str(path), *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_command_says_what_it_wrote_and_where_it_shows(tmp_path):
    said = run(write(tmp_path, VOTES), "--board", "votes", "--name", "Votes").splitlines()
    assert said[:2] == [
        "4 votes over 3 contestants, 2 judges: 1 a, 1 b, 1 tie, 1 both_bad.",
        "Columns not read: note.",
    ]
    assert said[2].endswith(" s. Board: /leaderboard/votes, shown to everybody.")
    board = Board.objects.get(slug="votes")
    standings = latest_snapshot(board).standings
    # The default method leaves the vote out that says both were bad.
    assert {entry["model"]: entry["votes"] for entry in standings["entries"]} == {"gpt": 3, "llama": 2, "mistral": 1}
    assert standings["excluded"]["both_bad"] == 1


def test_a_private_board_shows_to_researchers_alone_and_a_later_import_does_not_publish_it(tmp_path, client):
    researcher = Client()
    researcher.force_login(make_user(role=Role.RESEARCHER))
    path = write(tmp_path, VOTES, "crowd_votes-2026-05-01.csv")
    said = run(path, "--board", "votes", "--private")
    assert said.splitlines()[-1].endswith("Board: /leaderboard/votes, shown to researchers and admins who sign in.")
    run(path, "--board", "votes", "--replace")
    assert [client.get(f"/leaderboard/{slug}").status_code for slug in ("votes", "none")] == [404, 404]
    shown = researcher.get("/leaderboard/votes").content.decode()
    assert ("crowd votes 2026-05-01" in shown, "Not public" in shown, "/streams/" in shown) == (True, True, False)
    call_command("import_votes", str(path), "--board", "open", stdout=StringIO(), stderr=StringIO())
    other = client.get("/leaderboard/open").content.decode()
    assert ("/leaderboard/votes" in other, "Not public" in other) == (False, False)


def test_a_public_board_is_hidden_when_it_is_replaced_in_private(tmp_path, client):
    path = write(tmp_path, VOTES)
    run(path, "--board", "votes")
    assert client.get("/leaderboard/votes").status_code == 200
    run(path, "--board", "votes", "--replace", "--private")
    assert client.get("/leaderboard/votes").status_code == 404


def test_a_broken_file_is_refused_with_its_lines_and_nothing_is_kept(tmp_path):
    path = write(tmp_path, VOTES + "x,,left,,,,,,,,,\n")
    with pytest.raises(CommandError) as refused:
        run(path, "--board", "votes")
    assert str(refused.value).splitlines() == [
        f"{path} was not imported, nothing of it was kept:",
        "line 6: b is empty",
        "line 6: outcome is 'left', not one of a, b, tie, cannot_compare, both_bad",
    ]
    assert (Board.objects.count(), Judgment.objects.count()) == (0, 0)


def test_votes_on_one_contestant_are_kept_and_said(tmp_path):
    said = run(write(tmp_path, "a,b,outcome\nx,y,a\nx,x,tie\n"), "--board", "votes")
    assert "2 votes over 2 contestants" in said
    assert "Of these, 1 compare a contestant with itself: they rate nobody." in said


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(CommandError, match="No such file or directory"):
        run(tmp_path / "none.csv", "--board", "votes")
    with pytest.raises(CommandError, match="Is a directory"):
        run(tmp_path, "--board", "votes")


def test_a_second_import_is_refused_and_a_replacement_moves_the_board(tmp_path):
    run(write(tmp_path, "a,b,outcome\nx,y,a\nx,y,a\ny,x,a\n"), "--board", "votes")
    with pytest.raises(CommandError) as refused:
        run(write(tmp_path, VOTES), "--board", "votes")
    assert str(refused.value) == (
        "there is a board votes: give --replace to retire its votes for these, or another slug"
    )
    with pytest.raises(CommandError, match="line 2: a is empty"):  # and the board that is there keeps its votes
        run(write(tmp_path, "a,b,outcome\n,y,a\n"), "--board", "votes", "--replace")
    assert Board.objects.get(slug="votes").campaign.sources.get(kind=SourceKind.IMPORT).state == SourceState.ACTIVE
    said = run(write(tmp_path, VOTES), "--board", "votes", "--replace")
    assert "Former sources retired: 1." in said
    numbers = list(LeaderboardSnapshot.objects.order_by("number").values_list("number", "judgments"))
    assert numbers == [(1, 3), (2, 4)]


def test_an_open_transaction_holds_the_numbers_up_and_the_command_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "SECONDS_FOR_NUMBERS", 0.5)
    older = connections.create_connection("default")
    with transaction.atomic():
        pass
    older.set_autocommit(False)
    try:
        with older.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        with pytest.raises(CommandError, match="an open transaction held the numbering up"):
            run(write(tmp_path, VOTES), "--board", "votes")
    finally:
        older.rollback()
        older.close()
    assert Judgment.objects.filter(log_entry__isnull=True).count() == 4


def test_a_campaigns_slug_is_not_taken_over(tmp_path):
    create_campaign(slug="arena", name="Arena", now=NOW)
    with pytest.raises(CommandError, match="arena shows votes that were not imported"):
        run(write(tmp_path, VOTES), "--board", "arena", "--replace")
    assert connection.in_atomic_block is False


MANY_LINES = """
import re, resource, sys
from pathlib import Path
import django
django.setup()
from annotation.imports.spool import spool_votes

def peak():
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike ru_maxrss this is not handed down by whoever started the process.
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text()).group(1))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = peak()
with spool_votes(Path(sys.argv[1]), lambda done: None) as spooled:
    votes = sum(len(batch) for batch in spooled.batches())
print(votes, (peak() - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "lines"), [("votes.csv", 500_000), ("votes.jsonl", 250_000)])
def test_hundreds_of_thousands_of_lines_are_checked_within_200_megabytes(tmp_path, name, lines):
    path = tmp_path / name
    with path.open("w") as file:
        if name.endswith("csv"):
            file.write("a,b,outcome,judge,prompt,date,cat_x\n")
            line = "model {0},model {1},b,judge {2},prompt {3},2026-11-20T10:{4:02}:{5:02}Z,1\n"
        else:
            line = (
                '{{"a": "model {0}", "b": "model {1}", "outcome": "b", "judge": "judge {2}", "prompt": "prompt {3}",'
                ' "date": "2026-11-20T10:{4:02}:{5:02}Z", "cat_x": true}}\n'
            )
        for n in range(lines):
            file.write(line.format(n % 99, (n + 1) % 99, n % 5000, n, n // 60 % 60, n % 60))
    done = subprocess.run([sys.executable, "-c", MANY_LINES, str(path)], capture_output=True, text=True, check=True)
    votes, megabytes = map(int, done.stdout.split())
    print(f"{name}: {votes} votes, {megabytes} MB beside the program itself")
    assert votes == lines
    assert megabytes < 200
