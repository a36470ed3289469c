"""What `manage.py test` understands, and what it refuses."""

from pathlib import Path

import pytest

from config.launch.errors import LaunchError
from config.launch.options import read_test_options

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = "tests/config/test_options.py"


def pytest_arguments(*words: str) -> list[str]:
    return read_test_options(words, REPOSITORY).arguments(processors=2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["-n", "3", "--dist", "loadgroup"]),
        (["--parallel", "4"], ["-n", "4", "--dist", "loadgroup"]),
        (["--parallel=auto"], ["-n", "auto", "--dist", "loadgroup"]),
        (["--parallel", "1"], []),
        (["--quick", "--parallel", "1"], ["--quick"]),
        (["--keepdb", "--parallel", "1"], ["--reuse-db"]),
        (["--failfast", "--parallel", "1"], ["-x"]),
        (["-k", "vote and not tie"], ["-k", "vote and not tie"]),
        (["-kvote"], ["-k", "vote"]),
        (["-v", "--parallel", "1"], ["-v"]),
        (["-v", "0", "--parallel", "1"], ["-q"]),
        (["-v3", "--parallel", "1"], ["-vv"]),
        (["--verbosity=2", "--parallel", "1"], ["-v"]),
        (["tests/config"], ["tests/config"]),
        ([f"{HERE}::test_x"], [f"{HERE}::test_x"]),
        (["tests.config"], ["tests/config"]),
        (["config.test_options"], [HERE]),
        (["tests.config.test_options.TestOptions.test_y"], [f"{HERE}::TestOptions::test_y"]),
        (["tests.config", "--parallel", "2"], ["tests/config", "-n", "2", "--dist", "loadgroup"]),
    ],
)
def test_options_become_pytest_arguments(words, expected):
    assert pytest_arguments(*words) == expected


def test_real_data_folder_is_passed_on_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    assert pytest_arguments("--real-data", tmp_path.name, "--parallel", "1") == ["--real-data", str(tmp_path)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tag", "fast"], "manage.py test does not take --tag; `manage.py test --help` lists what it takes"),
        (["-n", "3"], "manage.py test does not take -n; `manage.py test --help` lists what it takes"),
        (["--debug-sql"], "manage.py test does not take --debug-sql; `manage.py test --help` lists what it takes"),
        (["-k"], "manage.py test: -k needs a value"),
        (["--parallel", "many"], "manage.py test: --parallel takes a number or auto, not many"),
        (["--real-data", "/no/such"], "manage.py test: --real-data: there is no folder /no/such"),
        (["tests.no.such"], "manage.py test: there are no tests called tests.no.such"),
        (["/no/such/test.py"], "manage.py test: there is no /no/such/test.py"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(words, message):
    with pytest.raises(LaunchError) as refusal:
        read_test_options(words, REPOSITORY)
    assert str(refusal.value) == message
