"""Imports point down. The contract is .importlinter; here it is shown to hold, and to catch what it is for."""

import configparser
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, REPOSITORY, modules

LINT = [str(Path(sys.prefix) / "bin" / "lint-imports"), "--no-cache", "--no-logo"]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "info", "common", "misc", "tools"}


def contracts() -> dict[str, str]:
    """Name of each contract by its key."""
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / ".importlinter")
    return {
        section.rpartition(":")[2]: parser[section]["name"]
        for section in parser.sections()
        if section.startswith("importlinter:contract:")
    }


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree's modules and its contract, alone in a folder."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(REPOSITORY / ".importlinter", folder)
    for module in modules():
        place = folder / module.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(module.source)
    return folder


@pytest.fixture
def planted(copied: Path, tmp_path: Path):
    """Plants lines at the end of modules, makes those that are missing, and lints; the copy is mended afterwards."""
    before: dict[Path, str | None] = {}

    def plant(files: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        for path, line in files.items():
            place = copied / path
            before[place] = place.read_text() if place.exists() else None
            place.write_text((before[place] or "") + f"\n{line}\n")
        return lint(copied)

    yield plant
    for place, source in before.items():
        if source is None:
            place.unlink()
        else:
            place.write_text(source)


def test_imports_point_down(copied):
    done = lint(copied)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Contracts: {len(contracts())} kept, 0 broken." in done.stdout


# What is planted, and the contracts it breaks, no more and no less.
PLANTED = {
    "a new utils.py": ({"annotation/utils.py": ""}, {"inside-an-app"}),
    "a new helpers.py beside the workers": ({"inference_workers/helpers.py": ""}, {"inside-inference"}),
    "a new module of people": ({"accounts/helpers.py": ""}, {"inside-accounts"}),
    "a view that imports torch through three files": (
        {
            "annotation/web/urls.py": "from foundation import planted_first",
            "foundation/planted_first.py": "from foundation import planted_second",
            "foundation/planted_second.py": "from foundation import planted_third",
            "foundation/planted_third.py": "import torch",
        },
        {"web-without-torch"},
    ),
    "a query that loads a model": (
        {"inference_workers/queries.py": "import transformers"},
        {"web-without-torch"},
    ),
    "a sideways import between apps": ({"accounts/models.py": "import ranking"}, {"packages", "ranking-one-user"}),
    "a sideways import within an app": (
        {"annotation/api/urls.py": "from annotation.web import urls"},
        {"inside-an-app"},
    ),
    "an import upwards between apps": ({"annotation/queries.py": "import arena.enums"}, {"packages"}),
    "the ground that knows who stands on it": ({"foundation/text.py": "import accounts.enums"}, {"packages"}),
    "a model that imports its use case": (
        {"annotation/enums.py": "from annotation.use_cases import retire_source"},
        {"inside-an-app"},
    ),
    "a form that knows the tests of a question type": (
        {"annotation/forms/question.py": "import annotation.questions.thumbs.tests.cases"},
        {"tests-in-folders"},
    ),
    "a model of people that imports its use case": (
        {"accounts/models.py": "from accounts.use_cases import grant_role"},
        {"inside-accounts"},
    ),
    "arithmetic that knows Django": ({"ranking/arrays.py": "import django"}, {"ranking-pure"}),
    "a view that does arithmetic": ({"arena/web/battles.py": "import ranking"}, {"ranking-one-user"}),
    "ratings that reach into the arithmetic": (
        {"annotation/ratings.py": "import ranking.newton"},
        {"ranking-front-door"},
    ),
    "an engine that knows Django": ({"inference_workers/engine/chat.py": "import django"}, {"engine-pure"}),
    "a use case that runs the engine": (
        {"inference_workers/use_cases/renew_leases.py": "import inference_workers.engine.chat"},
        {"engine-one-user"},
    ),
    "an arena that goes round the front door": (
        {"arena/queries.py": "from inference_workers.use_cases import renew_leases"},
        {"dispatch-front-door"},
    ),
}


@pytest.mark.parametrize(("files", "broken"), PLANTED.values(), ids=PLANTED)
def test_a_planted_import_is_caught(planted, files, broken):
    done = planted(files)
    said = {key for key, name in contracts().items() if f"{name} BROKEN" in done.stdout}
    assert done.returncode == 1, done.stdout + done.stderr
    assert said == broken, done.stdout


def test_every_contract_is_shown_to_catch_something():
    assert set.union(*(broken for _files, broken in PLANTED.values())) == set(contracts())


def test_every_module_that_pages_may_reach_is_held_to_be_without_torch():
    """Of the app that runs models, all but what runs in the worker alone; of the others, everything."""
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / ".importlinter")
    named = set(parser["importlinter:contract:web-without-torch"]["source_modules"].split())
    children = {
        module.path.split("/")[1].removesuffix(".py")
        for module in modules()
        if module.path.startswith("inference_workers/")
    }
    worker_only = {"__init__", "migrations", "tasks", "engine"}
    wanted = {f"inference_workers.{name}" for name in children - worker_only}
    assert named == wanted | {"config", "arena", "annotation", "accounts", "foundation"}


def test_every_package_of_the_tree_is_under_the_contract():
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / ".importlinter")
    tops = {place.parent.name for place in REPOSITORY.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert set(parser["importlinter"]["root_packages"].split()) == set(PACKAGES) == tops


def test_no_module_is_named_for_what_it_might_hold():
    named = {module.path for module in modules() if Path(module.path).stem in FORBIDDEN_NAMES}
    folders = {module.path for module in modules() if module.folders & FORBIDDEN_NAMES}
    assert named | folders == set()
