"""Every icon that a template names is one that the installed set has: a page with another fails as a whole."""

import re

import pytest
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

from tests.architecture.tree import REPOSITORY

NAMED = re.compile(r"""(?:\{%\s*lucide\s+|\bicon(?:=|\|default:))["']([^"']+)["']""")
ROOMS = ("templates", "annotation", "arena", "accounts")


def icons_named() -> dict[str, str]:
    """Each with a template that names it."""
    pages = [page for room in ROOMS for page in sorted((REPOSITORY / room).rglob("*.html"))]
    return {name: page.name for page in pages for name in NAMED.findall(page.read_text())}


def missing(names) -> list[str]:
    found = []
    for name in names:
        try:
            lucide(name)
        except IconDoesNotExist:
            found.append(name)
    return found


def test_every_icon_that_a_template_names_is_there():
    named = icons_named()
    assert len(named) > 60
    assert missing(named) == []


@pytest.mark.parametrize("tag", ['{% lucide "filter-x" size=13 %}', 'with icon="filter-x" text=text'])
def test_an_icon_that_is_not_there_is_found(tag):
    assert missing(NAMED.findall(tag)) == ["filter-x"]
