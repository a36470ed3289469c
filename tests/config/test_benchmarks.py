"""What a benchmark's rows are held against."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.rows import Row, compare
from config.launch.folder import REPOSITORY
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


def test_two_rows_of_one_name_and_size_are_refused():
    with pytest.raises(ValueError, match="two rows are called speed, 8"):
        outcomes([Row("speed", "8", 1.0, "s"), Row("speed", "8", 2.0, "s")])


def test_misspelt_goal_is_refused():
    with pytest.raises(ValueError, match=r"goals.toml: speed: unknown ratio_atleast"):
        compare([], [{"name": "speed", "size": "8", "ratio_atleast": 3.0}], quick=False)


def test_goals_of_this_repository_are_readable():
    goals = read_goals()
    assert {key for part in goals.values() for key in part} == {"database", "rows"}
    assert all(not result.ok for part in goals.values() for result in compare([], part["rows"], quick=False))


BENCHMARK = """
from benchmarks.rows import Row

def run(quick):
    return [Row("speed", "small" if quick else "large", 2.0, "s", 1.0)]
"""


@pytest.fixture
def made_up_benchmark(tmp_path):
    """A copy of the folder with one more benchmark and its goals, for `manage.py` to run."""
    for name in ("__init__.py", "rows.py", "peers.py"):
        (tmp_path / "benchmarks").mkdir(exist_ok=True)
        (tmp_path / "benchmarks" / name).write_text((REPOSITORY / "benchmarks" / name).read_text())
    (tmp_path / "benchmarks" / "madeup.py").write_text(BENCHMARK)
    (tmp_path / "benchmarks" / "goals.toml").write_text(
        '[madeup]\n[[madeup.rows]]\nname = "speed"\nsize = "small"\nratio_at_most = 3\n'
    )
    return tmp_path


def run_bench(folder, *arguments):
    program = (
        "import sys; from pathlib import Path; from config.management.commands import bench;"
        f"bench.FOLDER = Path({str(folder / 'benchmarks')!r});"
        "import django; django.setup();"
        "bench.Command().run_from_argv(['manage.py', 'bench', *sys.argv[1:]])"
    )
    environment = {"PYTHONPATH": f"{folder}:{REPOSITORY}", "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_bench_prints_and_writes_its_rows(made_up_benchmark):
    file = made_up_benchmark / "rows.json"
    done = run_bench(made_up_benchmark, "madeup", "--quick", "--json", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == [
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
    done = run_bench(made_up_benchmark, "madeup")
    assert done.returncode == 1
    assert done.stderr.strip() == "CommandError: 1 of 2 rows are missing or miss their goal: speed (small)"


def test_bench_names_what_there_is(made_up_benchmark):
    done = run_bench(made_up_benchmark, "inferno")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "CommandError: there is no benchmark inferno: choose one of madeup",
    )


def test_files_beside_the_benchmarks_are_not_offered():
    assert not {"rows", "peers", "__init__"} & set(benchmark_names())
