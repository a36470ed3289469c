"""What the page of a board says of its two orders, and of who is above the line."""

import pytest
from django.urls import reverse

from annotation.boards import plain
from annotation.boards.level import level_of
from annotation.boards.orders import orders_of
from arena.web.board_orders import orders_shown, orders_tables
from tests.annotation.boards.factories import judge, make_board, refreshed
from tests.annotation.boards.test_orders import rows_of
from tests.arena.test_leaderboard import words
from tests.factories import make_campaign, make_contestant, make_respondent
from tests.ranking.test_two_orders import parted


def shown(votes):
    standings = {
        "entries": [{"contestant": 11 + place, "model": name} for place, name in enumerate(("Ada", "Bea", "Cleo"))],
        "orders": plain(orders_of(rows_of(votes), seed=1)),
        "level": plain(level_of(rows_of(votes))),
    }
    return orders_shown(standings), standings


def test_a_pair_about_which_the_orders_part_is_said_in_a_sentence_with_its_figures():
    context, standings = shown(parted(2000, 5))
    money = context["both_orders"][1]
    pair = next(each for each in money.pairs if each.title == "Ada wins more, Bea is worth more")
    assert [tuple(map(str, each)) for each in pair.verdicts] == [
        ("For prompts and people like these", "established"),
        ("For these prompts", "established"),
    ]
    said = next(each for fit in standings["orders"]["fits"] for each in fit["pairs"] if fit["estimand"] == "money")
    assert f"In {said['answers']} answers about the two, Ada wins {100 * said['win_share']:.0f}" in pair.sentences[0]
    assert (
        f"it is by {said['mean_gain']:.2f} on average; where Bea is, by {said['mean_loss']:.2f}." in pair.sentences[0]
    )
    assert pair.sentences[1].startswith("The 5 prompts that speak most for Bea give")
    assert ([line.model for line in money.by_votes], [line.model for line in money.by_worth]) == (
        ["Ada", "Bea", "Cleo"],
        ["Bea", "Cleo", "Ada"],
    )
    places, pairs = orders_tables(standings)
    assert (len(places.rows), len(pairs.rows)) == (12, sum(len(fit["pairs"]) for fit in standings["orders"]["fits"]))


def test_where_none_is_established_it_says_how_many_answers_would_do():
    context, standings = shown(parted(150, 3, noise=0.6))
    fit = next(f for f in standings["orders"]["fits"] if f["estimand"] == "money" and f["target"] == "like_these")
    money = context["both_orders"][1]
    assert not money.established
    assert f"about {fit['nearest']['answers_needed']:,.0f} answers in all" in money.nearest


@pytest.mark.django_db(transaction=True)
def test_the_page_has_both_orders_the_level_and_their_files(client):
    campaign = make_campaign()
    ada, bea, cleo = (make_contestant(campaign, name) for name in ("ada", "bea", "cleo"))
    board = make_board(campaign, slug="both")
    judge(campaign, ada, bea)
    refreshed(board)
    address = reverse("board", args=["both"])
    assert "By votes and by worth" not in words(client.get(address))
    for better, worse, amount in ((ada, bea, "2"), (bea, cleo, "1"), (cleo, ada, "4")):
        person = make_respondent(campaign)
        for number in range(6):
            judge(campaign, better, worse, amount=amount, respondent=person, acceptable=(number > 1, False))
    standings = refreshed(board).standings
    answer = client.get(address)
    text = words(answer)
    assert "Both orders rest on the same 18 answers" in text
    assert "Where the orders part" in text
    assert "Who is above “I would take it”" in text
    for each in standings["level"]["entries"]:
        assert f"{100 * each['chance']:.0f}" in text
    html = answer.content.decode()
    assert '<svg class="orders__lines" viewBox="0 0 100 3"' in html
    assert 'style="' not in html
    for table, rows in (("orders", 12), ("parted", None)):
        file = client.get(address, {"format": "csv", "table": table})
        lines = file.content.decode().strip().splitlines()
        assert file.status_code == 200
        assert rows is None or len(lines) == 1 + rows
    assert client.get(address, headers={"HX-Request": "true"}).content.decode().count("orders__lines") == 2
