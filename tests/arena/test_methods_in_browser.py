"""Pages of methods, looked at by a browser: at two widths, in both themes."""

import pytest

from tests.arena.voted import voted_board
from tests.browser import DESK, PHONE, look, shoot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ("", "/max-min-groups", "/cyclic")


def test_methods_can_be_read_at_two_widths_in_both_themes(open_page, tmp_path):
    board = voted_board(tmp_path)
    for viewport, scheme, other in ((PHONE, "light", "dark"), (DESK, "dark", "light")):
        page = open_page(None, viewport, color_scheme=scheme)
        for ending in PAGES:
            page.goto(f"/leaderboard/{board.slug}/methods{ending}")
            look(page, f"methods{ending.replace('/', '-')}-{scheme}")
            page.emulate_media(color_scheme=other)
            shoot(page, f"methods{ending.replace('/', '-')}-{other}")
            page.emulate_media(color_scheme=scheme)
        assert page.get_by_role("heading", name="How far to trust it").is_visible()
