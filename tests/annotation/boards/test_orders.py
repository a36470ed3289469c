"""A board's order by votes beside its order by worth: what was planted is found, what is not there is not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from django.utils import timezone

from annotation.boards import canonical_json, compute_standings, digest_of, plain
from annotation.boards import orders as module
from annotation.boards.level import level_of
from annotation.boards.orders import orders_of
from annotation.models import LeaderboardSnapshot
from annotation.queries import standing_judgments
from annotation.ratings import TIE, PairRows
from annotation.use_cases.refresh_board import seed_of
from annotation.use_cases.verify_log import verify_log
from tests.annotation.boards.factories import judge, make_board, pair_rows, refreshed, three
from tests.factories import make_campaign, make_respondent
from tests.ranking.test_two_orders import parted
from tests.ranking.worlds import worth_world

IDS = [11, 12, 13]


def rows_of(votes, **columns) -> PairRows:
    said = {"respondent": votes.annotator, "prompt": votes.prompt} | columns
    return pair_rows(contestants=list(range(11, 11 + votes.count)), a=votes.a, b=votes.b, amount=votes.amount, **said)


def fits(block) -> dict[tuple[str, str], dict]:
    return {(fit["estimand"], fit["target"]): fit for fit in block["fits"]}


def test_who_wins_often_by_little_and_loses_much_is_found_and_said_of_each_estimand_and_target():
    votes = parted(2000, 5)
    block = plain(orders_of(rows_of(votes), seed=1))
    assert set(fits(block)) == {(e, t) for e in ("panel", "money") for t in ("like_these", "these_prompts")}
    for fit in block["fits"]:
        pair = next(each for each in fit["pairs"] if (each["wins"], each["worth_more"]) == (11, 12))
        assert (pair["verdict"], fit["nearest"], fit["heavy_tailed"]) == ("established", None, False)
        assert min(pair["p_stronger"], pair["p_worth_less"]) >= 0.95
        ranks = {each["contestant"]: (each["votes"]["rank"], each["worth"]["rank"]) for each in fit["entries"]}
        assert ranks == {11: (1, 3), 12: (2, 1), 13: (3, 2)}
    met = (np.minimum(votes.a, votes.b) == 0) & (np.maximum(votes.a, votes.b) == 1)
    amount = np.where(votes.a == 0, votes.amount, -votes.amount)[met]
    money = fits(block)["money", "like_these"]["pairs"][0]
    assert (money["answers"], money["win_share"]) == (met.sum(), pytest.approx((amount > 0).mean(), abs=1e-6))
    assert money["amount_against"] == pytest.approx(-amount.mean(), abs=1e-6)
    worst = np.flatnonzero(met)[np.argsort(amount)[:5]]
    assert [each["item"] for each in money["prompts"]] == [1 + place for place in worst.tolist()]


def test_what_the_prompts_add_is_the_difference_itself_where_all_of_them_speak_one_way():
    """Three prompts, each for the one who loses more votes elsewhere: their parts add up, to the last digit stored."""
    votes = parted(1200, 8)
    prompt = np.arange(1200) % 3
    block = orders_of(rows_of(replace(votes, prompt=prompt)), seed=1)
    pair = next(p for p in fits(block)["money", "these_prompts"]["pairs"] if (p["wins"], p["worth_more"]) == (11, 12))
    assert len(pair["prompts"]) == 3
    assert sum(each["amount"] for each in pair["prompts"]) == pytest.approx(pair["amount_against"], abs=1e-12)
    assert sum(each["votes"] for each in pair["prompts"]) == pytest.approx(pair["win_share"] - 0.5, abs=1e-12)
    assert pair["prompts_share"] == pytest.approx(1.0)


def test_of_forty_boards_with_one_order_at_most_two_list_an_established_pair():
    """Any of the four fits counts, at stakes up to the log sd of .75 for which that is promised."""
    listed = 0
    for seed in range(40):
        world = worth_world(240, seed, count=4, log_stake_sd=0.75, own_prompts=True)
        block = orders_of(rows_of(world.votes), seed=seed)
        listed += any(pair["verdict"] == "established" for fit in block["fits"] for pair in fit["pairs"])
    assert listed <= 2


def test_a_few_huge_amounts_or_a_bound_that_many_reached_leave_nothing_more_than_likely():
    votes = parted(2000, 5)
    at_bound = np.arange(2000) % 50 == 0
    censored = orders_of(rows_of(votes, at_bound=at_bound), seed=1)
    assert (censored["notes"], censored["at_bound_share"]) == (["censored"], 0.02)
    huge = replace(votes, amount=np.where(np.arange(2000) % 200 == 0, 60 * votes.amount, votes.amount))
    heavy = orders_of(rows_of(huge), seed=1)
    assert fits(heavy)["money", "like_these"]["heavy_tailed"]
    plainly = orders_of(rows_of(votes), seed=1)
    verdicts = [
        {pair["verdict"] for fit in block["fits"] if fit["estimand"] == "money" for pair in fit["pairs"]}
        for block in (censored, heavy, plainly)
    ]
    assert verdicts[0] == {"likely"}
    assert "established" not in verdicts[1]
    assert "established" in verdicts[2]


def test_where_nothing_parts_it_says_how_many_answers_would_establish_the_pair_that_parts_most():
    block = orders_of(rows_of(parted(150, 3, noise=0.6)), seed=1)
    fit = fits(block)["money", "like_these"]
    assert all(pair["verdict"] == "likely" for pair in fit["pairs"])
    assert fit["nearest"]["answers_needed"] > fit["answers"]


def test_it_is_not_computed_of_prices_taken_or_left_nor_beyond_its_size_and_says_so(monkeypatch):
    votes = parted(600, 2)
    rows = rows_of(votes)
    low = np.where(np.arange(600) < 3, 0.1, np.nan)
    assert orders_of(rows_of(votes, amount_low=low), seed=1)["reason"] == "only_bounds"
    unasked = np.zeros(600, dtype=np.int8)
    assert orders_of(rows_of(votes, preference=unasked), seed=1) is None
    monkeypatch.setattr(module, "MOST_ANSWERS", 599)
    assert (orders_of(rows, seed=1)["reason"], orders_of(rows, seed=1)["fits"]) == ("too_many", [])


def test_a_row_without_an_amount_and_one_about_an_anchor_are_in_neither_order():
    votes = parted(900, 4)
    anchor = np.arange(900) % 10 == 0
    left = orders_of(rows_of(votes.select(~anchor)), seed=1)
    within = orders_of(rows_of(votes, is_anchor=anchor), seed=1)
    assert fits(within)["money", "like_these"]["answers"] == fits(left)["money", "like_these"]["answers"] == 810
    silent = orders_of(rows_of(replace(votes, amount=np.where(anchor, np.nan, votes.amount))), seed=1)
    one, other = (fits(block)["money", "these_prompts"]["entries"] for block in (silent, left))
    assert plain(one) == plain(other)


def test_the_level_is_that_of_taking_neither():
    """Four of five responses of the first are fine and one of five of the second; a tie of two good ones is half."""
    rng = np.random.default_rng(1)
    n = 400
    good, bad = rng.random(n) < 0.8, rng.random(n) < 0.2
    amount = np.where(good, 1.0, np.where(bad, -1.0, 0.5))
    rows = pair_rows(
        contestants=IDS[:2],
        a=np.zeros(n, dtype=np.int64),
        b=np.ones(n, dtype=np.int64),
        amount=amount,
        respondent=rng.integers(0, 40, n),
        prompt=np.arange(n),
        acceptable_a=good.astype(np.int8),
        acceptable_b=bad.astype(np.int8),
    )
    level = plain(level_of(rows))
    assert {each["contestant"]: each["side"] for each in level["entries"]} == {11: "above", 12: "below"}
    assert level["entries"][0]["chance"] == pytest.approx(0.8, abs=0.08)
    assert level["answers"] == n
    everyone = replace(rows, acceptable_a=np.ones(n, dtype=np.int8))
    assert level_of(everyone)["reason"] == "no_level"
    never = np.full(n, -1, dtype=np.int8)
    assert level_of(replace(rows, acceptable_a=never, preference=np.full(n, TIE, dtype=np.int8))) is None


@pytest.mark.django_db(transaction=True)
def test_a_board_is_rebuilt_with_both_orders_and_one_of_version_3_without():
    campaign = make_campaign()
    ada, bea, cleo = three(campaign)
    for better, worse, amount in ((ada, bea, "2"), (bea, cleo, "1"), (cleo, ada, "4")):
        person = make_respondent(campaign)
        for number in range(6):
            judge(campaign, better, worse, amount=amount, respondent=person, acceptable=(number > 1, False))
    board = make_board(campaign)
    new = refreshed(board)
    assert new.standings["orders"]["answers"] == 18
    assert fits(new.standings["orders"])["money", "like_these"]["reason"] is None
    assert len(new.standings["level"]["entries"]) == 3
    judgments = standing_judgments(campaign)
    options = {"method": board.method, "seed": seed_of(campaign.pk, {}), "merged": {}}
    again = [compute_standings(judgments, **options) for _ in range(2)]
    assert canonical_json(again[0]) == canonical_json(again[1])
    old = compute_standings(judgments, **options, version="3")
    assert again[0].keys() - old.keys() == {"orders", "level"}
    fields = {"board": board, "method": board.method, "slice": {}, "retired_sources": [], "judgments": 18}
    LeaderboardSnapshot.objects.create(
        number=2, code_version="3", last_sequence=new.last_sequence, standings=old, digest=digest_of(old), **fields
    )
    assert verify_log(now=timezone.now()).ok
    assert json.loads(canonical_json(new.standings)) == new.standings
