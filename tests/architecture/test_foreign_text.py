"""Wherever a foreign text could become part of a page, htmx looks at nothing.

The parser and the sanitizer are taken away, so that a text's elements are the page's: each of them must stand inside of
what the server sets apart.
"""

from html.parser import HTMLParser

import pytest

from foundation import markdown
from tests.architecture import test_hostile_in_browser as hostile
from tests.architecture.test_hostile_in_browser import MARK, NoSanitizer, addresses_of, hostile_world

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
__all__ = ["hostile_world"]

PROBE = f"{MARK} <b data-probe hx-get='/canary'>text</b>"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Places(HTMLParser):
    """Where the probes of a page stand: how many inside of a place that is set apart, and how many outside."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.inside = self.outside = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if "data-probe" in names and any(is_apart for _tag, is_apart in self.open):
            self.inside += 1
        elif "data-probe" in names:
            self.outside += 1
        if tag not in VOID:
            self.open.append((tag, "hx-disable" in names and "data-foreign" in names))

    def handle_endtag(self, tag):
        while any(each == tag for each, _ in self.open) and self.open.pop()[0] != tag:
            pass


@pytest.fixture(autouse=True)
def probes(monkeypatch):
    """All that comes from outside is a probe, and nothing holds it."""
    monkeypatch.setattr(hostile, "HALVES", (PROBE, f"{PROBE} too"))
    monkeypatch.setattr(hostile, "ASKED", PROBE)
    monkeypatch.setattr(hostile, "PAYLOADS", [PROBE])
    monkeypatch.setattr(markdown, "parse_markdown", lambda text, media=None: text)
    monkeypatch.setattr(markdown, "_CLEANER", NoSanitizer())
    monkeypatch.setattr(markdown, "_make_cleaner", lambda own: NoSanitizer())


def places_in(world) -> dict[str, tuple[int, int]]:
    """Of each page that a superuser may read and that holds a probe as an element."""
    client, found = world.client("superuser"), {}
    for address in dict.fromkeys([*addresses_of(world), hostile.rows_of_a_dataset(), hostile.answer_of_a_test()]):
        response = client.get(address)
        if response.streaming or "html" not in response["Content-Type"]:
            continue
        places = Places(response.content.decode())
        if places.inside or places.outside:
            found[address] = (places.inside, places.outside)
    return found


def test_on_every_page_what_could_become_markup_stands_where_htmx_looks_at_nothing(probes, hostile_world):
    found = places_in(hostile_world)
    print(f"{len(found)} pages with {sum(inside for inside, _ in found.values())} texts")
    assert {address: outside for address, (_, outside) in found.items() if outside} == {}
    assert len(found) > 10


def test_control_a_text_that_is_not_set_apart_is_found(probes, hostile_world, monkeypatch):
    monkeypatch.setattr(markdown, "set_apart", lambda html, *, text: html)
    found = places_in(hostile_world)
    assert all(inside == 0 and outside > 0 for inside, outside in found.values())
    assert len(found) > 10
