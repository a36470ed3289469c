"""What the documents name exists: files, tests, commands. And nothing in them belongs to one machine."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

REPOSITORY = Path(__file__).resolve().parents[2]
# Commands that manage.py has before Django is loaded.
BEFORE_DJANGO = {"up", "test"}

LINK = re.compile(r"\]\((?!https?://|mailto:|media:|#)([^)\s#]+)(?:#[^)\s]*)?\)")
# In small letters: `tests/ranking/test_NAME.py` is a pattern of names.
NAMED_TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)(?:::(\w+))?`")
NAMED_FILE = re.compile(r"`((?:[a-z_]+/)+[a-z0-9_.\-]*[a-z0-9_]\.(?:py|md|toml|txt|html|yml|example|css|js))`")
COMMAND = re.compile(r"(?:python3 |`)manage\.py ([a-z_]+)")
# Folders of one machine, and places to fetch packages from: neither belongs into a public text.
OF_ONE_MACHINE = re.compile(r"(?<![\w.])/(?:work|home|root|opt|Users|tmp)/|\b(?:pypi|pytorch)\.org\b")


def documents() -> list[Path]:
    return sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])


@pytest.fixture(params=documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def document(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_every_link_between_documents_leads_somewhere(document):
    broken = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]

    assert broken == []


def test_no_two_decisions_have_one_number_and_each_says_its_own():
    decisions = sorted((REPOSITORY / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in decisions]

    assert len(set(numbers)) == len(numbers) > 50
    assert [path.read_text().partition(".")[0] for path in decisions] == [f"# {number}" for number in numbers]


def test_every_named_file_exists(document):
    missing = [name for name in NAMED_FILE.findall(document.read_text()) if not (REPOSITORY / name).exists()]

    assert missing == []


def test_every_named_test_exists(document):
    missing = [
        f"{file}::{test}" for file, test in NAMED_TEST.findall(document.read_text()) if test not in names_in(file)
    ]

    assert missing == []


def test_every_named_command_exists(document):
    known = {*get_commands(), *BEFORE_DJANGO}

    assert sorted(set(COMMAND.findall(document.read_text())) - known) == []


def test_nothing_belongs_to_one_machine(document):
    assert OF_ONE_MACHINE.findall(document.read_text()) == []


def test_the_guarantees_name_a_test_for_each_promise():
    promises = (REPOSITORY / "docs" / "guarantees.md").read_text().split("\n## ")[1:]

    assert [title for title in promises if title.startswith("(") and not NAMED_TEST.search(title)] == []
    assert [title[:3] for title in promises if title.startswith("(")] == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)"]


def names_in(file: str) -> set[str]:
    """The names of the tests in a file, and the empty one, which names the file as a whole."""
    path = REPOSITORY / file
    if not path.exists():
        return set()
    names = {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
    return names | {""}


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("see [the log](log.md#order) and [this](https://example.org/x.md)", LINK, ["log.md"]),
        (
            "`tests/a/test_b.py::test_c` and `tests/d.py`",
            NAMED_TEST,
            [("tests/a/test_b.py", "test_c"), ("tests/d.py", "")],
        ),
        ("manage.py makes it: `manage.py up`, python3 manage.py bench NAME", COMMAND, ["up", "bench"]),
        (
            "`annotation/use_cases/submit_judgment.py` and `a.py`",
            NAMED_FILE,
            ["annotation/use_cases/submit_judgment.py"],
        ),
    ],
)
def test_what_a_document_names_is_recognized(text, pattern, found):
    assert pattern.findall(text) == found


@pytest.mark.parametrize("text", ["/" + "home/ada/votes.csv", "https://pypi" + ".org/simple"])
def test_what_belongs_to_one_machine_is_recognized(text):
    assert OF_ONE_MACHINE.search(text)
