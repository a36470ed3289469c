"""The environment: which Python, which settings for the installer, what is skipped."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.launch.bootstrap import Environment, holds_torch, keep_bytecode, read_pip_settings, uv_settings
from config.launch.options import refuse_unknown

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def manage():
    spec = importlib.util.spec_from_file_location("manage", REPOSITORY / "manage.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_old_python_is_refused_in_one_line(manage):
    with pytest.raises(SystemExit) as refusal:
        manage.refuse_old_python((3, 9, 2, "final", 0))
    assert refusal.value.code == (
        "Cardinal needs Python 3.11 or newer, this is Python 3.9: run manage.py with a newer python3."
    )


def test_python_that_is_new_enough_passes(manage):
    assert manage.refuse_old_python((3, 11, 0, "final", 0)) is None


def test_manage_parses_under_the_grammar_of_old_pythons():
    import ast

    assert ast.parse((REPOSITORY / "manage.py").read_text(), feature_version=(3, 4))


def test_bootstrap_needs_the_standard_library_alone():
    """-S -I: no site-packages, no environment; the package `config` itself is never imported."""
    program = (
        "import runpy, sys; manage = runpy.run_path('manage.py', run_name='x');"
        "manage['load_bootstrap']('.').Environment; assert 'config' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-S", "-I", "-c", program], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_pip_settings_are_read_as_pip_ranks_them():
    listing = (
        ":env:.find-links='/media/wheels /media/more'\n"
        "global.find-links='/srv/wheels'\n"
        "global.index-url='https://one.example/simple'\n"
        "install.index-url='https://two.example/simple'\n"
        "list.format='columns'\n"
    )
    assert read_pip_settings(listing) == {
        "find-links": "/media/wheels /media/more",
        "index-url": "https://two.example/simple",
    }


def test_pip_settings_reach_uv_but_not_over_what_the_user_set_for_uv(monkeypatch):
    for name in [name for name in os.environ if name.startswith("UV_") or name in {"SSL_CERT_FILE", "ALL_PROXY"}]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CARDINAL_TORCH_INDEX", raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.example/simple")
    settings = {
        "find-links": "/media/wheels /media/more",
        "index-url": "https://two.example/simple",
        "extra-index-url": "https://three.example/simple\nhttps://four.example/simple",
        "cert": "/etc/ours.pem",
    }
    assert uv_settings(settings) == {
        "UV_FIND_LINKS": "/media/wheels,/media/more",
        "UV_INDEX": "https://three.example/simple https://four.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/etc/ours.pem",
    }


def test_torch_file_in_the_users_folder_is_seen(tmp_path):
    assert holds_torch(str(tmp_path)) is False
    (tmp_path / "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl").touch()
    assert holds_torch(f"/no/such {tmp_path}") is True


@pytest.fixture
def writing(monkeypatch):
    """This process's own say on compiled modules, given back after the test."""
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    monkeypatch.setattr(sys, "pycache_prefix", sys.pycache_prefix)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    return monkeypatch


def test_compiled_modules_are_kept_apart_where_none_may_lie_beside_the_sources(writing, tmp_path):
    writing.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "imported.py").touch()
    keep_bytecode(tmp_path / "bytecode")
    done = subprocess.run([sys.executable, "-c", "import imported"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "bytecode").rglob("imported.*.pyc"))) == 1
    assert not (tmp_path / "__pycache__").exists()


def test_who_lets_python_write_or_names_a_folder_is_left_alone(writing, tmp_path):
    writing.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    keep_bytecode(tmp_path)
    assert "PYTHONPYCACHEPREFIX" not in os.environ
    writing.setenv("PYTHONDONTWRITEBYTECODE", "1")
    writing.setenv("PYTHONPYCACHEPREFIX", "/their/own")
    keep_bytecode(tmp_path)
    assert os.environ["PYTHONPYCACHEPREFIX"] == "/their/own"


@pytest.fixture
def filled(tmp_path):
    """An environment that an earlier run filled with the worker's packages."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("torch==2.13.0\n")
    environment = Environment(tmp_path, tmp_path / ".venv")
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    environment.write_stamp(["worker"])
    return environment


def test_filled_environment_is_used_as_it_is(filled):
    assert filled.is_stamped(filled.fingerprint(), ["worker"]) is True


def test_more_extras_a_changed_pin_or_a_lost_python_fill_it_again(filled):
    wanted = filled.fingerprint()
    assert filled.is_stamped(wanted, ["worker", "test"]) is False
    (filled.repository / "constraints.txt").write_text("torch==2.14.0\n")
    assert filled.is_stamped(filled.fingerprint(), ["worker"]) is False
    filled.python.unlink()
    assert filled.is_stamped(wanted, ["worker"]) is False


@pytest.fixture
def clone(tmp_path):
    """What manage.py needs of a fresh clone, on a machine whose Python has no packages."""
    for name in ("manage.py", "pyproject.toml", "constraints.txt", "benchmarks/inference.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    shutil.copytree(REPOSITORY / "config/launch", tmp_path / "config/launch")
    (tmp_path / "tests").mkdir()
    return tmp_path


def manage_in(clone: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "CARDINAL_NO_VENV"}
    return subprocess.run(
        [sys.executable, "-S", "-I", "manage.py", *words], cwd=clone, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("test --nonsense", 1, "Cardinal: manage.py test does not take --nonsense; `manage.py test --help` lists "),
        ("test tests.no.such", 1, "Cardinal: manage.py test: there are no tests called tests.no.such\n"),
        ("bench --nonsense", 1, "Cardinal: manage.py bench does not take --nonsense; `manage.py bench --help` lists "),
        ("bench nonsense", 1, "Cardinal: there is no benchmark nonsense; `manage.py bench --help` lists them\n"),
        ("bench inference --json", 1, "Cardinal: manage.py bench: argument --json: expected one argument\n"),
        ("up --nonsense", 2, "usage: manage.py up "),
    ],
)
def test_what_a_command_does_not_take_is_refused_before_anything_is_prepared(clone, words, status, said):
    before = files(clone)
    done = manage_in(clone, *words.split())
    assert (done.returncode, done.stderr[: len(said)]) == (status, said)
    assert files(clone) == before


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)


def test_help_of_the_tests_needs_no_environment(clone):
    done = manage_in(clone, "test", "--help")
    assert (done.returncode, done.stdout.split("\n")[0]) == (0, "usage: manage.py test [LABEL ...] [options]")
    assert not (clone / ".venv").exists()


def test_what_the_benchmarks_take_passes(clone):
    for words in (["inference"], ["inference", "--quick", "--json", "rows.json"], ["-v", "0", "inference"], ["--help"]):
        assert refuse_unknown("bench", words, clone) is False
