"""The session in docs/ranking.md is run, so that it cannot rot."""

import re
from doctest import DocTestParser, DocTestRunner
from enum import StrEnum
from inspect import isclass
from pathlib import Path

import pytest

import ranking

PAGE = Path(__file__).parents[2] / "docs" / "ranking.md"


def session() -> str:
    """Every fence that holds prompts; the plot, which needs matplotlib, is in one without."""
    return "\n".join(re.findall(r"```pycon\n(.*?)```", PAGE.read_text(), flags=re.DOTALL))


def test_the_session_prints_what_the_page_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(PAGE.parent)
    test = DocTestParser().get_doctest(session(), {}, PAGE.name, str(PAGE), 0)
    said: list[str] = []
    result = DocTestRunner().run(test, out=said.append)
    assert not result.failed, "".join(said)
    assert result.attempted > 40


def test_the_page_names_what_there_is():
    table = PAGE.read_text().split("## What is where")[1]
    named = set(re.findall(r"`([A-Za-z_0-9]+)`", table)) - {"ranking"}
    assert len(named) > 50
    assert named <= set(ranking.__all__)
    assert not re.search(
        r"^>>>", re.sub(r"```pycon\n.*?```", "", PAGE.read_text(), flags=re.DOTALL), flags=re.MULTILINE
    )


def test_the_page_names_every_option_and_refusal():
    page = PAGE.read_text().split("## Options")[1].split("## What is where")[0]
    options, refusals = page.split("## Refusals")
    for name in ranking.__all__:
        if isclass(one := getattr(ranking, name)) and issubclass(one, StrEnum):
            assert f"`{name}`" in options
            assert [member.name for member in one if f"`{member.name}`" not in options] == []
        if isclass(one) and issubclass(one, ranking.RankingError):
            assert f"`{name}`" in refusals


def test_the_readme_leads_to_the_page():
    assert "(docs/ranking.md)" in (PAGE.parents[1] / "README.md").read_text()


def test_the_page_cites_tests_that_there_are():
    section = PAGE.read_text().split("## Where other tools differ")[1].split("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ") and "::" in row]
    cited = [re.findall(r"`(test_\w+\.py)?::(test_\w+)`", row) for row in rows]
    assert len(rows) == 8
    for row in cited:
        for file, name in row:
            found = (Path(__file__).parent / (file or row[0][0])).read_text()
            assert f"def {name}(" in found
