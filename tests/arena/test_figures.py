"""A board's figures through the client: what each shows, its files, and whom it names."""

import csv
import re
from html import unescape
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from annotation.models import Board
from annotation.queries import readable_snapshot
from annotation.queries.figures import Evidence
from annotation.use_cases.advance_board import advance_board
from annotation.web.tables import defused, plain_values
from arena.web.figures.declared import FIGURES
from arena.web.figures.figure import shown
from arena.web.figures.page import EITHER
from config.settings.base import BASE_DIR
from tests.annotation.boards.factories import make_board, refreshed
from tests.arena.drawn import NAMES, drawn_board, priced_board, with_history
from tests.arena.test_snapshots import hide, served
from tests.factories import make_campaign, make_user

pytestmark = pytest.mark.django_db(transaction=True)
MARKS = Path(BASE_DIR) / "static/arena/figure_marks.css"


def words(answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def figures_of(board: Board) -> dict:
    cache.clear()
    evidence = Evidence(board, readable_snapshot(board))
    return {name: shown(figure, evidence) for name, figure in FIGURES.items()}


def address(board: Board, *of: str) -> str:
    return reverse(f"board-figure-{of[1]}" if of else "board-figures", args=[board.slug, *of[:1]])


def everything(client, board: Board) -> str:
    """All that the page and the files of every figure say."""
    cache.clear()
    answers = [client.get(address(board))]
    answers += [client.get(address(board, name, kind)) for name in FIGURES for kind in ("picture", "table")]
    return " ".join(answer.content.decode() for answer in answers if answer.status_code == 200)


def test_each_figure_has_its_picture_its_words_its_table_and_its_files(client, tmp_path):
    boards = [drawn_board(tmp_path), priced_board()]
    drawn = set()
    for board in boards:
        with_history(board, odd=2)
        page, found = client.get(address(board)), figures_of(board)
        html = page.content.decode()
        assert 'style="' not in html
        for name, each in found.items():
            assert str(each.figure.title) in words(page)
            assert str(each.figure.reading) in words(page)
            assert all(str(note) in words(page) for note in each.notes)
            file = client.get(address(board, name, "table"))
            assert list(csv.reader(StringIO(file.content.decode())))[1:] == [
                [str(defused(value)) for column in each.table.columns for value in plain_values(column, row)]
                for row in each.table.rows
            ]
            picture = client.get(address(board, name, "picture"))
            assert picture.status_code == (200 if each.drawing else 404)
            assert (each.drawing is None) <= bool(each.notes), "what is not drawn says why"
            if each.drawing:
                drawn.add(name)
                assert each.drawing.markup in html
                root = ElementTree.fromstring(picture.content)
                assert (root.find("{*}title").text, root.find("{*}desc").text is None) == (
                    f"{each.figure.title}: {board.name}",
                    False,
                )
                assert picture["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
                assert "light-dark" not in picture.content.decode()
                assert "prefers-color-scheme: dark" in picture.content.decode()
    assert drawn == set(FIGURES)


def test_pictures_show_what_their_tables_say(tmp_path):
    board = drawn_board(tmp_path)
    found = figures_of(board)

    def texts(name: str) -> list[str]:
        return [each.text for each in ElementTree.fromstring(found[name].drawing.markup).iter() if each.tag != "desc"]

    for entry in found["intervals"].table.rows:
        assert f"{entry['model']}: {entry['rating']:.0f}" in texts("intervals")
    for name, member in (("win-rates", "observed"), ("win-rates-fitted", "fitted"), ("battles", "battles")):
        numbers = [getattr(pair, member) for pair in found[name].table.rows]
        both = [n for n in numbers if n is not None] + [
            (1 - n if name != "battles" else n) for n in numbers if n is not None
        ]
        said = sorted(f"{100 * n:.0f}" if name != "battles" else str(n) for n in both)
        root = ElementTree.fromstring(found[name].drawing.markup)
        cells = [each.text for line in root.iter("text") if "fig-on-" in line.attrib["class"] for each in line]
        assert sorted(cells) == said
    assert sum(day.votes for day in found["days"].table.rows) == 900
    for day in found["days"].table.rows:
        assert f"{day.day.isoformat()}: {day.votes}" in texts("days")
    assert sum(each.votes for each in found["strengths"].table.rows) == 900
    assert sum(each.count for each in found["spread"].table.rows) == len(NAMES)
    whole = found["sides"].table.rows[0]
    assert whole.decided + whole.ties == 900
    # A name that is markup is a text, and one that is a formula none.
    assert "<script>alert(1)</script>" in {entry["model"] for entry in found["intervals"].table.rows}


def test_names_that_are_markup_or_a_formula_do_nothing(client, tmp_path):
    board = drawn_board(tmp_path)
    page = client.get(address(board)).content.decode()
    assert "<script>alert" not in page
    for name in FIGURES:
        picture = client.get(address(board, name, "picture"))
        assert picture.status_code == 404 or b"<script" not in picture.content
        assert not re.search(r"(^|,)=1\+1", client.get(address(board, name, "table")).content.decode(), re.MULTILINE)
    assert "'=1+1" in client.get(address(board, "intervals", "table")).content.decode()


def test_a_board_with_too_little_says_how_much_each_figure_needs(client):
    board = make_board(make_campaign(), slug="bare")
    assert "Not computed yet" in words(client.get(address(board)))
    assert client.get(address(board, "intervals", "table")).status_code == 404
    refreshed(board)
    cache.clear()
    page = client.get(address(board))
    assert '<svg class="fig"' not in page.content.decode()
    text = words(page)
    for said in (
        "No vote",
        "It takes one vote whose day is known.",
        "It takes 30 votes that say by how much",
        "two days",
    ):
        assert said in text


def test_who_may_not_read_a_board_reads_none_of_its_figures(client):
    board = priced_board()
    Board.objects.filter(pk=board.pk).update(is_public=False)
    everywhere = [address(board), *(address(board, "intervals", kind) for kind in ("picture", "table"))]
    assert [client.get(each).status_code for each in everywhere] == [404, 404, 404]
    client.force_login(make_user(role=Role.RESEARCHER))
    assert [client.get(each).status_code for each in everywhere] == [200, 200, 200]
    assert client.get(address(board, "no-such-figure", "table")).status_code == 404


def test_a_model_that_is_hidden_now_is_named_in_no_figure(client, monkeypatch):
    board, models = served()
    advance_board(board_id=board.pk, now=timezone.now())
    with_history(board, days=2)
    assert "Canary one" in everything(client, board)
    hide(models[0])
    said = everything(client, board)
    assert ("Canary one" in said, "Canary two" in said, "stand-in" in said) == (False, True, True)
    # The control: with the names that the snapshot froze, it would be named.
    monkeypatch.setattr("annotation.queries.snapshots.named_as_now", lambda snapshot: snapshot)
    assert "Canary one" in everything(client, board)


def test_what_a_model_without_a_name_costs_is_not_said():
    board = priced_board()
    evidence = Evidence(board, readable_snapshot(board))
    first = evidence.entries[0]["contestant"]
    assert first in evidence.costs
    evidence = Evidence(board, readable_snapshot(board))
    evidence.names[first] = f"stand-in {first}"
    assert first not in evidence.costs
    assert len(evidence.costs) == len(evidence.entries) - 1


def test_many_models_cost_no_more_queries_and_are_drawn_up_to_forty(client, tmp_path, django_assert_max_num_queries):
    board = drawn_board(tmp_path, names=[f"model {number:02}" for number in range(50)], votes=2500)
    cache.clear()
    client.get(address(board))
    with django_assert_max_num_queries(8):
        page = client.get(address(board))
    assert "Drawn are the first 40 of 50 models; the file has all." in words(page)
    assert "The first 100 rows; the file has all." in words(page)
    assert len(client.get(address(board, "win-rates", "table")).content.decode().splitlines()) == 1 + 50 * 49 // 2


def test_days_of_the_log_are_counted_once_a_minute_and_not_by_each_reader(client, tmp_path):
    board = drawn_board(tmp_path)
    with CaptureQueriesContext(connection) as first:
        client.get(address(board))
    with CaptureQueriesContext(connection) as second:
        client.get(address(board))
    passes = [sum('"annotation_judgment"' in each["sql"] for each in found) for found in (first, second)]
    assert (passes[0] > 0, passes[1]) == (True, 0)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_numbers_stand_out_from_their_squares_and_marks_from_the_ground_in_both_themes():
    rules = {
        name: pair
        for names, body in re.findall(r"^(\.[^{]+) \{([^}]*)\}", MARKS.read_text(), re.MULTILINE)
        for pair in EITHER.findall(body)[:1]
        for name in names.split(", ")
    }
    for theme in (0, 1):
        ground = rules[".fig-ground"][theme]
        for name, pair in rules.items():
            if on := re.fullmatch(r"\.fig-on-(\w+)", name):
                assert contrast(pair[theme], rules[f".fig-{on[1]}"][theme]) >= 4.5, name
            elif name in (".fig-ink", ".fig-soft"):
                assert contrast(pair[theme], ground) >= 4.5, name
            elif re.match(r"\.fig-(line|spot|bar|whisker|thin|front|middle|axis)", name):
                assert contrast(pair[theme], ground) >= 3, name
