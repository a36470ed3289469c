"""Every figure of a board, looked at by a browser: at two widths, in both themes, by keyboard."""

import pytest

from arena.web.figures.declared import FIGURES
from tests.arena.drawn import drawn_board, priced_board, with_history
from tests.browser import DESK, PHONE, check_fits, look, shoot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Of all pictures: texts that reach beyond their picture, and texts that lie on each other.
FAULTS = """() => [...document.querySelectorAll("svg.fig")].flatMap((picture) => {
  const box = picture.getBoundingClientRect();
  const texts = [...picture.querySelectorAll("text")]
    .flatMap((text) => (text.querySelector("tspan") ? [...text.querySelectorAll("tspan")] : [text]))
    .map((text) => [text.textContent, text.getBoundingClientRect()]);
  const beyond = texts.filter(([, place]) => place.left < box.left - 1 || place.right > box.right + 1
    || place.top < box.top - 1 || place.bottom > box.bottom + 1);
  const over = texts.flatMap(([one, a], index) => texts.slice(index + 1)
    .filter(([, b]) => a.left + 1 < b.right && b.left + 1 < a.right && a.top + 4 < b.bottom && b.top + 4 < a.bottom)
    .map(([other]) => [one, other]));
  return [...beyond.map(([words]) => words), ...over];
})"""
DRAWN = "[...document.querySelectorAll('.card:has(svg.fig)')].map((card) => card.id)"
TO_THE_RIGHT = "(name) => document.querySelector(`#${name} .figure__box`).scrollLeft"


def test_every_figure_can_be_read_at_two_widths_in_both_themes_and_by_keyboard(open_page, tmp_path):
    boards = [drawn_board(tmp_path), priced_board()]
    for board in boards:
        with_history(board, days=9, odd=4)
    drawn = set()
    for viewport, scheme, other in ((PHONE, "light", "dark"), (DESK, "dark", "light")):
        page = open_page(None, viewport, color_scheme=scheme)
        for board in boards:
            page.goto(f"/leaderboard/{board.slug}/figures")
            look(page, f"figures-{board.slug}-{scheme}")
            drawn |= set(page.evaluate(DRAWN))
            assert page.evaluate(FAULTS) == []
            page.emulate_media(color_scheme=other)
            shoot(page, f"figures-{board.slug}-{other}")
            page.emulate_media(color_scheme=scheme)
    assert drawn == set(FIGURES)
    page.set_viewport_size(PHONE)
    for name in page.evaluate(DRAWN):
        page.locator(f"#{name} .figure__box").focus()
        page.keyboard.press("ArrowRight")
        for _ in range(100):
            page.wait_for_timeout(20)
            if page.evaluate(TO_THE_RIGHT, name):
                break
        assert page.evaluate(TO_THE_RIGHT, name) > 0, name
    page.locator(f"#{name} summary").press("Enter")
    check_fits(page)
