"""The session in docs/ranking.md is run, so that it cannot rot."""

import re
from doctest import DocTestParser, DocTestRunner
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
