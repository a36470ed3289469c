"""What a benchmark's rows are held against."""

import ast
import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command

import benchmarks
from benchmarks.rows import Row, compare
from config.management.commands import bench
from config.management.commands.bench import benchmark_names, read_goals

WANTED = [
    {"name": "speed", "size": "8", "ratio_at_least": 3.0},
    {"name": "memory", "size": "135634", "quick": False, "ours_at_most": 500},
]


def outcomes(rows, quick=False):
    return [(result.name, result.goal, result.ok) for result in compare(rows, WANTED, quick=quick)]


def test_reached_goals_and_rows_without_a_goal_are_good():
    rows = [
        Row("speed", "8", 60.0, "tokens/s", 20.0),
        Row("memory", "135634", 500.0, "MB"),
        Row("extra", "1", 1.0, "s"),
    ]
    assert outcomes(rows) == [("speed", "ratio ≥ 3", True), ("memory", "ours ≤ 500", True), ("extra", "", True)]


def test_missed_goal_and_missing_row_fail():
    assert outcomes([Row("speed", "8", 59.0, "tokens/s", 20.0)]) == [
        ("speed", "ratio ≥ 3", False),
        ("memory", "ours ≤ 500", False),
    ]


def test_ratio_without_a_peer_misses_its_goal():
    assert outcomes([Row("speed", "8", 59.0, "tokens/s")], quick=True) == [("speed", "ratio ≥ 3", False)]


def test_quick_run_may_leave_out_what_is_not_quick():
    assert outcomes([Row("speed", "8", 60.0, "tokens/s", 20.0)], quick=True) == [("speed", "ratio ≥ 3", True)]


def test_rows_on_real_data_are_wanted_where_there_is_some():
    goals = [{"name": "real", "size": 1, "real_data": True}]
    assert compare([], goals, quick=False) == []
    assert [result.ok for result in compare([], goals, quick=False, real_data=True)] == [False]


def test_two_rows_of_one_name_and_size_are_refused():
    with pytest.raises(ValueError, match="two rows are called speed, 8"):
        outcomes([Row("speed", "8", 1.0, "s"), Row("speed", "8", 2.0, "s")])


def test_a_row_that_could_not_run_says_why_and_is_good_only_where_its_goal_allows_it(made_up_benchmark):
    absent = Row("speed", "8", None, "tokens/s", not_run="no GPU here")
    assert outcomes([absent], quick=True) == [("speed", "ratio ≥ 3", False)]
    excused = compare([absent], [WANTED[0] | {"may_not_run": True}], quick=True)
    assert [(result.ok, result.as_json()["ours"], result.as_json()["not_run"]) for result in excused] == [
        (True, None, "no GPU here")
    ]
    for figures in [{"ours": None}, {"ours": 0.0, "not_run": "no GPU here"}]:
        with pytest.raises(ValueError, match="either a figure, or why it was not run"):
            Row("speed", "8", unit="s", **figures)
    source = BENCHMARK.replace('2.0, "s", 1.0', 'None, "s", not_run="no GPU here"')
    (made_up_benchmark / "madeup.py").write_text(source)
    printed = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1 rows are missing or miss their goal"):
        call_command("bench", "madeup", "--quick", stdout=printed)
    assert printed.getvalue().splitlines()[1].endswith("MISSED, not run: no GPU here")


def test_misspelt_goal_is_refused():
    with pytest.raises(ValueError, match=r"goals.toml: speed: unknown ratio_atleast"):
        compare([], [{"name": "speed", "size": "8", "ratio_atleast": 3.0}], quick=False)


def test_goals_of_this_repository_are_readable():
    goals = read_goals()
    assert {key for part in goals.values() for key in part} == {"database", "rows"}
    missing = [result for part in goals.values() for result in compare([], part["rows"], quick=False, real_data=True)]
    assert all(not result.ok for result in missing)


BENCHMARK = """
from benchmarks.rows import Row

def run(quick):
    return [Row("speed", "small" if quick else "large", 2.0, "s", 1.0)]
"""


@pytest.fixture
def made_up_benchmark(tmp_path, monkeypatch):
    """A folder with one benchmark and its goals, which the command takes for ours."""
    (tmp_path / "madeup.py").write_text(BENCHMARK)
    (tmp_path / "goals.toml").write_text(
        '[madeup]\n[[madeup.rows]]\nname = "speed"\nsize = "small"\nratio_at_most = 3\n'
    )
    monkeypatch.setattr(bench, "FOLDER", tmp_path)
    monkeypatch.setattr(benchmarks, "__path__", [*benchmarks.__path__, str(tmp_path)])
    yield tmp_path
    sys.modules.pop("benchmarks.madeup", None)


def test_bench_prints_and_writes_its_rows(made_up_benchmark):
    printed, file = io.StringIO(), made_up_benchmark / "rows.json"
    call_command("bench", "madeup", "--quick", "--json", str(file), stdout=printed)
    assert printed.getvalue().splitlines() == [
        "name   size   ours  peer  ratio  goal",
        "speed  small  2 s   1 s   2      ratio ≤ 3  ok",
    ]
    assert json.loads(file.read_text()) == [
        {
            "name": "speed",
            "size": "small",
            "ours": 2.0,
            "peer": 1.0,
            "ratio": 2.0,
            "unit": "s",
            "goal": "ratio ≤ 3",
            "ok": True,
        }
    ]


def test_bench_fails_when_a_row_is_missing(made_up_benchmark):
    printed = io.StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("bench", "madeup", stdout=printed)
    assert str(failure.value) == "1 of 2 rows are missing or miss their goal: speed (small)"
    assert [line.split()[-1] for line in printed.getvalue().splitlines()] == ["goal", "MISSING", "ok"]


def test_bench_names_what_there_is(made_up_benchmark):
    with pytest.raises(CommandError) as refusal:
        call_command("bench", "inferno")
    assert str(refusal.value) == "there is no benchmark inferno: choose one of madeup"


def test_real_data_is_refused_where_nothing_is_measured_on_it(made_up_benchmark):
    with pytest.raises(CommandError, match="madeup measures nothing on real data; leave --real-data out"):
        call_command("bench", "madeup", "--real-data", str(made_up_benchmark))


def test_a_folder_of_real_data_that_is_not_there_is_named(made_up_benchmark):
    (made_up_benchmark / "madeup.py").write_text(BENCHMARK.replace("(quick)", "(quick, real_data=None)"))
    with pytest.raises(CommandError, match="--real-data: there is no folder /no/such"):
        call_command("bench", "madeup", "--real-data", "/no/such")


def test_bench_without_a_name_lists_what_is_measured():
    printed = io.StringIO()
    call_command("bench", stdout=printed)
    lines = dict(line.split(maxsplit=1) for line in printed.getvalue().splitlines())
    assert list(lines) == benchmark_names()
    assert lines["votes"].startswith("A full vote against a bare view")
    assert lines["inference"].endswith("same limit of new tokens.")


def test_every_file_that_can_be_run_has_goals():
    runnable = {
        file.stem
        for file in bench.FOLDER.glob("*.py")
        if any(isinstance(part, ast.FunctionDef) and part.name == "run" for part in ast.parse(file.read_text()).body)
    }
    assert runnable == set(benchmark_names())


def test_a_note_stands_beside_the_ratio_and_in_the_file():
    (noted, plain) = compare([Row("speed", "8", 6.0, "s", 3.0, "(of 4 runs)"), Row("x", "1", 1.0, "s")], [], quick=True)
    assert bench.cells(noted.as_json())[4] == "2 (of 4 runs)"
    assert noted.as_json()["note"] == "(of 4 runs)"
    assert "note" not in plain.as_json()
