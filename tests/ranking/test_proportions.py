"""Shares with Wilson intervals, and observed win rates."""

import numpy as np
import pytest

from ranking import (
    BadOutcome,
    BadWeight,
    BothBad,
    Counts,
    ShapeMismatch,
    UnknownIndex,
    acceptability,
    count_matrix,
    wilson,
    win_rates,
)
from tests.ranking.worlds import from_rows


def test_wilson_intervals_match_the_published_table():
    """Newcombe 1998, Stat. Med. 17, table I, method 3: 81/263, 15/148, 0/20, 1/29."""
    found = wilson(np.array([81.0, 15, 0, 1, 0]), np.array([263.0, 148, 20, 29, 0]))
    np.testing.assert_allclose(found.lower, [0.2553, 0.0624, 0.0, 0.0061, np.nan], atol=5e-5)
    np.testing.assert_allclose(found.upper, [0.3662, 0.1605, 0.1611, 0.1718, np.nan], atol=5e-5)
    np.testing.assert_allclose(found.share, [81 / 263, 15 / 148, 0, 1 / 29, np.nan])


def test_a_full_share_reaches_one_and_mirrors_an_empty_one():
    found = wilson(np.array([20.0, 0.0]), np.array([20.0, 20.0]))
    assert (found.upper[0], found.lower[1]) == (1.0, 0.0)
    assert found.lower[0] == pytest.approx(1 - found.upper[1])


def test_acceptability_counts_judged_responses_of_each_contestant():
    found = acceptability(np.array([0, 0, 0, 2, 2]), np.array([True, True, False, False, False]), 3)
    np.testing.assert_allclose(found.share, [2 / 3, np.nan, 0.0])
    assert found.judged.tolist() == [3, 0, 2]
    assert np.isnan([found.lower[1], found.upper[1]]).all()


def test_impossible_shares_are_refused():
    with pytest.raises(BadWeight, match="between 0 and"):
        wilson(np.array([3.0]), np.array([2.0]))
    with pytest.raises(ShapeMismatch):
        wilson(np.array([3.0]), np.array([2.0, 1.0]))
    with pytest.raises(ShapeMismatch):
        acceptability(np.array([0, 1]), np.array([True]), 2)
    with pytest.raises(UnknownIndex, match="outside 0 to 1"):
        acceptability(np.array([0, 2]), np.array([True, True]), 2)


def test_win_rates_count_ties_half_and_leave_out_what_says_nothing():
    rows = [(0, 1, 1.0), (1, 0, 1.0), (0, 1, 0.5), (0, 1, 1.0), (1, 1, 1.0), (0, 1, 0.5)]
    counts = count_matrix(from_rows(rows, 3, both_bad=np.arange(6) == 5))
    rates = win_rates(counts)
    np.testing.assert_allclose(rates.rate, [2.5 / 4, 1.5 / 4, np.nan])
    np.testing.assert_allclose(rates.pair_rate, [[np.nan, 0.625, np.nan], [0.375, np.nan, np.nan], [np.nan] * 3])
    assert rates.battles.tolist() == [4, 4, 0]
    assert rates.pair_battles.tolist() == [[0, 4, 0], [4, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(win_rates(counts, BothBad.HALF).rate, [3 / 5, 2 / 5, np.nan])


def test_win_rates_of_a_published_table():
    np.testing.assert_allclose(win_rates(Counts.of([[0, 3], [1, 0]])).rate, [0.75, 0.25])


@pytest.mark.parametrize("kind", [bool, int, float, list])
def test_acceptable_may_be_true_or_one(kind):
    said = [True, False, True, True, False]
    given = said if kind is list else np.array(said, dtype=kind)
    np.testing.assert_allclose(acceptability([0, 0, 1, 1, 1], given, 2).share, [1 / 2, 2 / 3])


@pytest.mark.parametrize("answers", [[1, 2], [0.5, 1.0], ["yes", "no"], [-1, 1], [np.nan, 1.0]])
def test_answers_that_are_neither_true_nor_false_are_refused(answers):
    with pytest.raises(BadOutcome, match="give True or False, or 1 and 0"):
        acceptability(np.array([0, 1]), np.array(answers), 2)


def test_lists_are_arrays():
    assert wilson([3, 4], [5, 5]).share.tolist() == [0.6, 0.8]
    with pytest.raises(BadWeight, match=r"successes holds .*; give numbers"):
        wilson(["a"], [3])
    with pytest.raises(ShapeMismatch, match="unequal length"):
        wilson([[3], [4, 5]], [[5], [5, 5]])
    with pytest.raises(UnknownIndex, match="number the labels"):
        acceptability(["a", "b"], [True, False], 2)


def test_win_rates_of_a_log_are_those_of_its_counts():
    votes = from_rows([(0, 1, 1.0), (1, 0, 1.0), (0, 1, 0.5)], 2)
    assert win_rates(votes).rate.tolist() == win_rates(count_matrix(votes)).rate.tolist()
