"""`show_board` prints what the board has, or what another method makes of the same votes."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.models import LeaderboardSnapshot
from tests.annotation.boards.factories import entries, imported, make_board, refreshed

pytestmark = pytest.mark.django_db(transaction=True)
VOTES = "x,y,a\nx,y,a\ny,x,a\nx,y,both_bad\nx,y,tie\nx,z,a\nz,y,b\n"


def shown(capsys, *arguments):
    capsys.readouterr()
    call_command("show_board", *arguments)
    return capsys.readouterr().out


def test_json_holds_the_newest_snapshot(capsys, tmp_path):
    snapshot = refreshed(imported(tmp_path, VOTES).board)
    assert json.loads(shown(capsys, "imported", "--json")) == {
        "board": "imported",
        "name": "votes",
        "number": 1,
        "digest": snapshot.digest,
        "last_sequence": snapshot.last_sequence,
        "slice": {},
        **snapshot.standings,
    }


def test_another_method_is_computed_and_nothing_is_written(capsys, tmp_path):
    refreshed(imported(tmp_path, VOTES).board)
    half = json.loads(shown(capsys, "imported", "--json", "--method", "bt_half"))
    assert (half["method"], half["number"], entries(half)["x"]["votes"]) == ("bt_half", None, 6)
    assert LeaderboardSnapshot.objects.count() == 1


def test_a_board_that_has_no_snapshot_is_computed(capsys, tmp_path):
    imported(tmp_path, VOTES)
    assert json.loads(shown(capsys, "imported", "--json"))["number"] is None
    assert LeaderboardSnapshot.objects.count() == 0


def test_without_json_it_is_a_table_for_people(capsys, tmp_path):
    refreshed(imported(tmp_path, VOTES).board)
    lines = shown(capsys, "imported").splitlines()
    assert lines[0].split() == ["rank", "model", "rating", "95", "%", "interval", "votes", "wins", "worth"]
    assert lines[1].split()[:3] == ["1-3", "x", "(provisional)"]
    assert lines[-1] == "What people whom an imported file does not name preferred on prompts that are not known."


def test_a_board_without_votes_says_so(capsys):
    refreshed(make_board(slug="quiet"))
    lines = shown(capsys, "quiet").splitlines()
    assert lines[1:] == [
        "No vote compares two models yet, so nobody has a rating.",
        "Nobody has judged anything here yet.",
    ]


def test_a_board_that_does_not_exist_is_one_clear_line(tmp_path):
    imported(tmp_path, VOTES)
    with pytest.raises(CommandError, match=r"^there is no board 'nowhere'; boards: imported$"):
        call_command("show_board", "nowhere")


def test_a_method_that_does_not_exist_is_one_clear_line(tmp_path):
    imported(tmp_path, VOTES)
    with pytest.raises(CommandError, match=r"^there is no method 'elo'; methods: bradley_terry, bt_half$"):
        call_command("show_board", "imported", "--method", "elo")


@pytest.mark.real_data
def test_ratings_of_the_public_arena_equal_the_reference_up_to_a_constant(capsys, real_data: Path):
    """53 models are on the board; the reference leaves out the one that has two votes, and uses no prior."""
    call_command("import_votes", str(real_data / "lmarena140k.parquet"), "--board", "lmarena")
    board = entries(json.loads(shown(capsys, "lmarena", "--json", "--method", "bt_half")))
    reference = json.loads((real_data / "reference.json").read_text())["lmarena140k_min50"]["ratings"]
    assert set(board) - set(reference) == {"qwen3-coder-480b-a35b-instruct"}
    differences = [board[name]["rating"] - rating["bt"] for name, rating in reference.items()]
    middle = sum(differences) / len(differences)
    assert max(abs(difference - middle) for difference in differences) < 0.5
    assert [name for name, entry in board.items() if entry["provisional"]] == ["qwen3-coder-480b-a35b-instruct"]
