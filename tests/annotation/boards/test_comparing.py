"""Is one better than another: what may be said however often one looks, and how few votes decide who is first."""

import numpy as np
import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.enums import Role
from annotation.boards.comparing import compare_pair, first_place, inflation_of
from annotation.boards.pair_counts import NOTHING, PairCounts
from annotation.models import Board
from annotation.queries.live import read_counts
from annotation.use_cases.advance_board import advance_board
from annotation.use_cases.refresh_board import refresh_board
from tests.annotation.boards.factories import imported, make_board
from tests.factories import make_campaign, make_user

BRADLEY_TERRY = "bradley_terry"


def counted(*rows: tuple[int, ...]) -> PairCounts:
    """Rows of (shown as A, as B, A wins, B wins, ties, both bad)."""
    table = np.array(rows, dtype=np.int64)
    return PairCounts(table[:, 0], table[:, 1], table[:, 2:])


def test_direct_votes_are_those_of_both_orders():
    direct = compare_pair(
        counted((7, 9, 30, 10, 4, 1), (9, 7, 5, 20, 2, 3), (7, 8, 1, 1, 0, 0)), BRADLEY_TERRY, 7, 9
    ).direct
    assert (direct.wins, direct.losses, direct.ties, direct.both_bad) == (50, 15, 6, 4)
    assert direct.share == 50 / 65
    assert 0.5 < direct.lower < 50 / 65 < direct.upper < 1


def test_a_clear_pair_is_decided_and_the_other_way_round_is_the_same_mirrored():
    counts = counted((1, 2, 90, 30, 0, 0), (2, 3, 40, 40, 0, 0))
    one, other = (compare_pair(counts, BRADLEY_TERRY, *pair).apart for pair in ((1, 2), (2, 1)))
    assert one.is_decided
    assert (one.direct_more, one.spread_more) == (0, 0)
    assert one.gap == pytest.approx(-other.gap)
    assert one.probability == pytest.approx(1 - other.probability)
    assert one.probability > 0.999
    wider = compare_pair(counts, BRADLEY_TERRY, 1, 2, inflation=9.0).apart
    assert wider.gap == one.gap
    assert wider.margin > 2 * one.margin
    assert not wider.is_decided


def test_as_many_votes_as_are_named_decide_it_and_fewer_do_not():
    undecided = compare_pair(counted((1, 2, 60, 45, 0, 0)), BRADLEY_TERRY, 1, 2).apart
    assert not undecided.is_decided
    assert undecided.direct_more == pytest.approx(undecided.spread_more, rel=0.05), "no other pairs are there"
    for share, decided in ((0.93, False), (1.07, True)):
        factor = 1 + share * undecided.direct_more / 105
        more = counted((1, 2, round(60 * factor), round(45 * factor), 0, 0))
        assert compare_pair(more, BRADLEY_TERRY, 1, 2).apart.is_decided is decided


def test_what_nothing_joins_has_no_distance_and_level_ones_no_number():
    counts = counted((1, 2, 9, 1, 0, 0), (3, 4, 5, 5, 0, 0))
    assert compare_pair(counts, BRADLEY_TERRY, 1, 3).apart is None
    level = compare_pair(counts, BRADLEY_TERRY, 3, 4).apart
    assert (level.gap, level.direct_more, level.spread_more) == (pytest.approx(0, abs=1e-9), None, None)
    assert first_place(counts, BRADLEY_TERRY) is None, "among groups that never met nobody is first"
    assert first_place(NOTHING, BRADLEY_TERRY) is None
    only_bad = counted((1, 2, 0, 0, 0, 5))
    assert compare_pair(only_bad, BRADLEY_TERRY, 1, 2).apart is None
    assert compare_pair(only_bad, "bt_half", 1, 2).apart is not None


def test_equal_models_watched_after_every_vote_are_seldom_called_different():
    """200 pairs of equals, looked at after each of 150 votes. The control: an interval for one look does so often."""
    dice = np.random.default_rng(20261122)
    watched = fixed = 0
    for _ in range(200):
        wins = np.cumsum(dice.random(150) < 0.5)
        looks = [(int(won), number - int(won)) for number, won in enumerate(wins, start=1)][9:]
        found = [compare_pair(counted((1, 2, won, lost, 0, 0)), BRADLEY_TERRY, 1, 2).apart for won, lost in looks[::7]]
        watched += any(each.is_decided for each in found)
        fixed += any(not 0.025 < each.probability < 0.975 for each in found)
    assert watched <= 10
    assert fixed > 20


@pytest.mark.django_db(transaction=True)
def test_votes_about_the_same_prompts_widen_the_bounds(tmp_path):
    """On each of 24 prompts all eight votes say the same: they are worth hardly more than 24."""
    lines = "".join(f"oak,elm,{'ab'[number % 2]},q{number}\n" * 8 for number in range(24))
    board = imported(tmp_path, lines, header="a,b,outcome,prompt").board
    refresh_board(board_id=board.pk, now=timezone.now())
    advance_board(board_id=board.pk, now=timezone.now())
    counts, entries = read_counts(board), board.snapshots.get().standings["entries"]
    pair = tuple(entry["contestant"] for entry in entries)
    assert 4 < inflation_of(entries, counts, BRADLEY_TERRY, pair) < 12
    assert inflation_of([], counts, BRADLEY_TERRY, pair) == 1


@pytest.mark.django_db(transaction=True)
def test_the_page_answers_in_words(client, tmp_path):
    cache.clear()
    votes = "oak,elm,a\n" * 60 + "elm,oak,a\n" * 9 + "elm,yew,a\n" * 21 + "yew,elm,a\n" * 20
    board = imported(tmp_path, votes).board
    advance_board(board_id=board.pk, now=timezone.now())
    refresh_board(board_id=board.pk, now=timezone.now())
    address = f"/leaderboard/{board.slug}/compare"
    ids = {e["model"]: e["contestant"] for e in board.snapshots.get().standings["entries"]}
    for public, status in ((False, 404), (True, 200)):
        Board.objects.filter(pk=board.pk).update(is_public=public)
        assert client.get(address).status_code == status

    empty = client.get(address).content.decode()
    assert "oak is first. Without" in empty
    assert "verdict" not in empty
    yes = client.get(address, {"a": ids["oak"], "b": ids["elm"]}).content.decode()
    assert "Yes: oak is better than elm." in yes
    assert "60 to 9" in yes
    assert "For who runs this" not in yes
    no = client.get(address, {"a": ids["elm"], "b": ids["oak"]}).content.decode()
    assert "No: oak is better than elm." in no
    client.force_login(make_user(role=Role.CAMPAIGN_ADMIN))
    open_still = client.get(address, {"a": ids["elm"], "b": ids["yew"]}).content.decode()
    assert "Not decided" in open_still
    assert "more votes between them would decide it" in open_still
    assert "you may stop at any time and say that it is not decided" in open_still
    same = client.get(address, {"a": ids["elm"], "b": ids["elm"]})
    assert (same.status_code, "Choose two different models." in same.content.decode()) == (400, True)
    for bad in ("x", "-1", "9" * 30, "²", str(max(ids.values()) + 1)):
        assert client.get(address, {"a": bad, "b": ids["elm"]}).status_code == 404


@pytest.mark.django_db
def test_a_board_of_no_pairs_says_so(client):
    board = make_board(make_campaign())
    assert "Nothing to compare" in client.get(f"/leaderboard/{board.slug}/compare").content.decode()
