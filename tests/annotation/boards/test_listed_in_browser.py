"""What boards of rankings, ratings and thumbs look like, and the page of a dry run that tells cost and budget."""

import pytest
from django.utils import timezone

from accounts.enums import Role
from annotation.simulation.dry_run import dry_run
from annotation.use_cases.cast_shadow import cast_shadow
from annotation.use_cases.refresh_board import refresh_board
from tests.annotation.boards.factories import make_board
from tests.annotation.boards.test_listed import RATING, THUMBS, answered, noisy, rated
from tests.annotation.simulation.test_dry_run import AMOUNT, PREFERENCE, rehearsable
from tests.browser import DESK, PHONE, look
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOW = timezone.now


def thumb(names: list[str], number: int) -> dict:
    return {"thumb": noisy(names[0], number) > -1.4}


@pytest.mark.parametrize(
    ("question", "answer", "responses", "words", "size"),
    [(RATING, rated, 4, "what the model would score on average", DESK), (THUMBS, thumb, 1, "Yes, in %", PHONE)],
    ids=["ratings", "thumbs"],
)
def test_the_page_of_a_board_names_its_method_and_its_unit(open_page, question, answer, responses, words, size):
    board = make_board(answered([question], answer, responses=responses))
    refresh_board(board_id=board.pk, now=NOW())
    page = open_page(f"/leaderboard/{board.slug}", size)
    page.locator("summary").last.click()
    said = page.locator("main").inner_text()
    assert words in said
    assert "It takes for granted" in said or "it takes for granted" in said
    assert "400 points" not in said
    look(page, f"listed-{question['type']}")


def test_a_dry_run_says_what_it_costs_and_where_the_budget_ends(open_page):
    campaign = rehearsable(
        items=12,
        questions=(PREFERENCE, AMOUNT | {"required": True}),
        pay_per_judgment="0.25",
        expected_seconds=60,
        budget_money="3.00",
    )
    source = cast_shadow(campaign_id=campaign.pk, items=12, people=4, seed=2, actor=None, now=NOW())
    dry_run(source_id=source.pk, clock=NOW)
    admin = make_user(role=Role.CAMPAIGN_ADMIN)
    for size in (DESK, PHONE):
        page = open_page(f"/campaigns/{campaign.slug}/dry-run", size, user=admin)
        page.locator("#runs summary").click()
        assert "The budget of 3.00 USD pays 12 of 24 judgments" in page.locator("#runs").inner_text()
        look(page, "dry-run")
