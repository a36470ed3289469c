"""Voting rules against worked examples, brute force, and each other."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking import (
    Absent,
    BadProbability,
    BadWeight,
    BothBad,
    Counts,
    NoComparisons,
    NoConvergence,
    Payoff,
    ShapeMismatch,
    SingleContestant,
    UnmetPairs,
    borda,
    copeland,
    count_matrix,
    exploitability,
    fit_bradley_terry,
    kemeny,
    majorities,
    maximal_lottery,
    minimax,
    tournament,
    tournament_of_ranks,
)
from tests.ranking.published import pudding_votes
from tests.ranking.worlds import bradley_terry_world, from_rows

# The capital of Tennessee, the textbook profile: Memphis, Nashville, Chattanooga, Knoxville by share of voters.
TENNESSEE = np.array([[1, 2, 3, 4], [4, 1, 2, 3], [4, 3, 1, 2], [4, 3, 2, 1]], dtype=float)
TENNESSEE_SHARES = np.array([42.0, 26.0, 15.0, 17.0])
# Condorcet 1785, with the numbers of Young 1988, "Condorcet's theory of voting", Am. Polit. Sci. Rev. 82: 60 voters,
# abc 23, bca 17, bac 2, cab 10, cba 8; a over b 33, b over c 42, c over a 35.
CONDORCET = np.array([[1, 2, 3], [3, 1, 2], [2, 1, 3], [2, 3, 1], [3, 2, 1]], dtype=float)
CONDORCET_VOTERS = np.array([23.0, 17, 2, 10, 8])
PAPER_SCISSORS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])  # rock, paper, scissors


def random_shares(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((count, count)), 1)
    return upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(count)


def test_tennessee_has_a_condorcet_winner_that_every_rule_but_plurality_finds():
    t = tournament_of_ranks(TENNESSEE, weight=TENNESSEE_SHARES)
    found = majorities(t)
    assert (found.winner, found.loser, found.smith, found.cycles) == (1, 0, (1,), ())
    assert found.transitive
    # Borda's counts of the same textbook: Memphis 126, Nashville 194, Chattanooga 173, Knoxville 107 points.
    np.testing.assert_allclose(borda(t).score * 3 * 100, [126, 194, 173, 107])
    assert borda(t).rank.tolist() == [3, 1, 2, 4]
    assert copeland(t).score.tolist() == [-3, 3, 1, -1]
    assert minimax(t).rank[1] == 1
    assert kemeny(t).order.tolist() == [1, 2, 3, 0]
    assert kemeny(t).exact
    assert maximal_lottery(t).probability.tolist() == [0, 1, 0, 0]


def test_condorcets_own_example_goes_in_a_circle_and_kemeny_breaks_its_weakest_majority():
    t = tournament_of_ranks(CONDORCET, weight=CONDORCET_VOTERS)
    np.testing.assert_allclose(np.array([t.share[0, 1], t.share[1, 2], t.share[2, 0]]) * 60, [33, 42, 35])
    found = majorities(t)
    assert (found.winner, found.loser, found.smith) == (None, None, (0, 1, 2))
    assert sorted(found.cycles[0]) == [0, 1, 2]
    for one, next_one in zip(found.cycles[0], np.roll(found.cycles[0], -1), strict=True):
        assert t.share[one, next_one] > 0.5
    order = kemeny(t)
    assert order.order.tolist() == [1, 2, 0]  # b c a: 42 + 35 + 27 = 104 of 180 voices
    assert order.agreement == pytest.approx(104 / 180)
    assert copeland(t).rank.tolist() == [1, 1, 1]


def test_rock_paper_scissors_is_a_third_each():
    lottery = maximal_lottery(PAPER_SCISSORS)
    np.testing.assert_allclose(lottery.probability, 1 / 3, atol=1e-12)
    assert lottery.unique
    assert lottery.exploitability == pytest.approx(0, abs=1e-12)
    assert exploitability(np.array([0.5, 0.5, 0.0]), PAPER_SCISSORS) == pytest.approx(0.25)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("payoff", list(Payoff))
def test_no_contestant_beats_the_lottery(seed, payoff):
    shares = random_shares(25, seed)
    lottery = maximal_lottery(shares, payoff=payoff)
    assert lottery.probability.sum() == pytest.approx(1)
    assert (lottery.probability >= 0).all()
    assert lottery.unique
    assert (lottery.probability > 0).sum() % 2 == 1  # Laffond, Laslier & Le Breton 1997: odd without level pairs
    assert lottery.exploitability < 1e-9
    assert exploitability(lottery.probability, shares, payoff=payoff) < 1e-9
    uniform = np.full(25, 1 / 25)
    assert exploitability(uniform, shares, payoff=payoff) > 0.01


def test_twins_without_a_difference_make_the_lottery_one_of_many():
    shares = np.array([[0.5, 0.5, 0.9], [0.5, 0.5, 0.9], [0.1, 0.1, 0.5]])
    lottery = maximal_lottery(shares)
    assert not lottery.unique
    assert lottery.probability[2] == 0
    assert lottery.exploitability < 1e-9


def test_under_bradley_terry_every_rule_finds_the_order_of_strength():
    fit = fit_bradley_terry(bradley_terry_world(10, 4000, seed=1).votes)
    chance = fit.win_probability()
    expected = np.argsort(-fit.strength)
    for rule in (borda, copeland, minimax):
        assert np.argsort(rule(chance).rank, kind="stable").tolist() == expected.tolist()
    assert kemeny(chance).order.tolist() == expected.tolist()
    best = np.zeros(10)
    best[expected[0]] = 1
    for payoff in Payoff:
        np.testing.assert_allclose(maximal_lottery(chance, payoff=payoff).probability, best, atol=1e-12)


def brute_force(gain: np.ndarray) -> float:
    return max(np.triu(gain[np.ix_(order, order)]).sum() for order in permutations(range(len(gain))))


@pytest.mark.parametrize("seed", range(5))
def test_kemeny_is_the_best_of_all_orders(seed):
    shares = random_shares(7, 10 + seed)
    found = kemeny(shares)
    pairs = 7 * 6 / 2
    assert found.exact
    assert found.agreement == pytest.approx(0.5 + brute_force(2 * shares - 1) / 2 / pairs)
    assert found.rank[found.order].tolist() == list(range(1, 8))


def test_kemeny_of_sixteen_in_a_knot_is_exact_and_search_comes_close_to_it(monkeypatch):
    shares = random_shares(16, 20)
    exact = kemeny(shares)
    assert (exact.exact, exact.largest_part) == (True, 16)
    monkeypatch.setattr("ranking.orders.kemeny.EXACT_UP_TO", 8)
    searched = kemeny(shares)
    assert not searched.exact
    assert exact.agreement - 0.01 < searched.agreement <= exact.agreement


def test_kemeny_of_many_is_exact_while_the_knots_are_small():
    """The extended Condorcet criterion: 60 contestants, of whom three go in a circle."""
    shares = np.triu(np.full((60, 60), 0.7), 1) + np.tril(np.full((60, 60), 0.3), -1)
    shares[[20, 22], [22, 20]] = 0.4, 0.6
    found = kemeny(shares)
    assert (found.exact, found.largest_part) == (True, 3)
    assert found.order[:20].tolist() == list(range(20))
    assert set(found.order[20:23]) == {20, 21, 22}
    assert majorities(shares).cycles == ((20, 21, 22),)
    assert majorities(shares).winner == 0


def test_search_ends_where_no_single_move_helps():
    shares = random_shares(40, 30)
    found = kemeny(shares)
    assert not found.exact
    gain = (2 * shares - 1)[np.ix_(found.order, found.order)]
    for mover in range(40):
        for place in range(40):
            moved = np.insert(np.delete(np.arange(40), mover), place, mover)
            assert np.triu(gain[np.ix_(moved, moved)]).sum() <= np.triu(gain).sum() + 1e-9


def test_ties_in_a_ranking_count_half_and_absent_contestants_nothing():
    ranks = np.array([[1, 1, 3], [2, 1, np.nan]])
    t = tournament_of_ranks(ranks, weight=np.array([1.0, 3.0]))
    assert t.share[0, 1] == pytest.approx((0.5 * 1 + 0 * 3) / 4)
    assert (t.share[0, 2], t.weight[0, 2], t.weight[0, 1]) == (1, 1, 4)
    assert kemeny(t).order.tolist() == [1, 0, 2]


def test_aggregation_by_kemeny_minimises_the_weighted_distance():
    rng = np.random.default_rng(40)
    ranks, weight = rng.integers(1, 5, (6, 5)).astype(float), rng.random(6) + 0.5

    def distance(order):
        place = np.argsort(order)
        total = 0.0
        for row, worth in zip(ranks, weight, strict=True):
            for i in range(5):
                for j in range(i):
                    if row[i] == row[j]:
                        total += worth / 2
                    else:
                        total += worth * ((row[i] < row[j]) != (place[i] < place[j]))
        return total

    best = min(distance(np.array(order)) for order in permutations(range(5)))
    assert distance(kemeny(tournament_of_ranks(ranks, weight=weight)).order) == pytest.approx(best)


@given(seed=st.integers(0, 10_000), count=st.integers(3, 9))
def test_a_condorcet_winner_wins_and_relabelling_relabels(seed, count):
    shares = random_shares(count, seed)
    found, swapped = majorities(shares), np.random.default_rng(seed).permutation(count)
    again = shares[np.ix_(swapped, swapped)]
    np.testing.assert_allclose(borda(again).score, borda(shares).score[swapped])
    np.testing.assert_allclose(
        maximal_lottery(again).probability, maximal_lottery(shares).probability[swapped], atol=1e-8
    )
    assert kemeny(again).agreement == pytest.approx(kemeny(shares).agreement)
    if found.winner is None:
        assert found.cycles
        assert len(found.smith) >= 3
        return
    assert copeland(shares).rank[found.winner] == minimax(shares).rank[found.winner] == 1
    assert kemeny(shares).order[0] == found.winner
    assert maximal_lottery(shares).probability[found.winner] == 1


def test_pairs_that_never_met_are_refused_until_told_what_that_means():
    counts = count_matrix(from_rows([(0, 1, 1.0), (0, 1, 1.0), (1, 2, 1.0), (1, 2, 0.5)], 4))
    for rule in (borda, copeland, minimax, kemeny, majorities, maximal_lottery):
        with pytest.raises(UnmetPairs, match=r"never met: 0-2\. Collect votes"):
            rule(counts)
    t = tournament(counts, absent=Absent.NEITHER)
    np.testing.assert_allclose(borda(t).score, [1, (0 + 0.75) / 2, 0.25, np.nan])
    assert copeland(t).score[:3].tolist() == [1, 0, -1]
    np.testing.assert_allclose(minimax(t).score, [1, 0, 0.25, np.nan])
    assert borda(t).rank.tolist() == [1, 2, 3, 0]
    assert kemeny(t).rank.tolist() == [1, 2, 3, 0]
    assert majorities(t).winner is None  # 0 never met 2
    assert maximal_lottery(t).probability.tolist()[3] == 0
    assert np.isnan(maximal_lottery(t).payoff[3])


def test_counts_and_their_shares_give_the_same():
    counts = count_matrix(pudding_votes())
    shares = tournament(counts).share
    np.testing.assert_allclose(borda(counts).score, np.nanmean(shares, axis=1))
    np.testing.assert_array_equal(copeland(counts).score, copeland(shares).score)
    marked = from_rows([(0, 1, 1.0), (0, 1, 0.5)], 2, both_bad=np.array([False, True]))
    assert tournament(count_matrix(marked)).share[0, 1] == 1
    assert tournament(count_matrix(marked), both_bad=BothBad.HALF).share[0, 1] == 0.75


def test_bad_input_is_refused_by_name():
    with pytest.raises(BadProbability, match=r"P\[0, 1\] is 0\.6 and P\[1, 0\] is 0\.3; give probabilities that sum"):
        borda(np.array([[0.5, 0.6], [0.3, 0.5]]))
    with pytest.raises(BadProbability, match="NaN both ways"):
        borda(np.array([[0.5, np.nan], [0.3, 0.5]]))
    with pytest.raises(ShapeMismatch, match="one row and column"):
        kemeny(np.ones((2, 3)))
    with pytest.raises(SingleContestant):
        copeland(np.ones((1, 1)))
    with pytest.raises(NoComparisons, match="collect votes"):
        minimax(Counts.of(np.zeros((3, 3))))
    with pytest.raises(BadProbability, match="give fitted probabilities"):
        maximal_lottery(PAPER_SCISSORS, payoff=Payoff.LOG_ODDS)
    with pytest.raises(BadProbability, match="sum to one"):
        exploitability(np.ones(3), PAPER_SCISSORS)
    with pytest.raises(ShapeMismatch, match="each of 3"):
        exploitability(np.ones(2) / 2, PAPER_SCISSORS)
    with pytest.raises(ShapeMismatch, match="one row per slice"):
        tournament_of_ranks(np.arange(3.0))
    with pytest.raises(ShapeMismatch, match="each of 2 slices"):
        tournament_of_ranks(np.ones((2, 3)), weight=np.ones(3))
    with pytest.raises(BadWeight, match="not negative"):
        tournament_of_ranks(np.ones((2, 3)), weight=np.array([1, -1]))
    assert issubclass(UnmetPairs, ValueError)
    assert issubclass(NoConvergence, ValueError)
