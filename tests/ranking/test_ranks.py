"""Ranks from intervals of differences."""

import numpy as np
import pytest

from ranking import BadParameter, Comparisons, Counts, Family, Gauge, fit_bradley_terry, rank_ranges
from tests.ranking.worlds import bradley_terry_world, from_rows


def test_clear_differences_give_one_rank_each():
    wins = [[0, 900, 990], [100, 0, 900], [10, 100, 0]]
    ranges = rank_ranges(fit_bradley_terry(Counts.of(wins)))
    assert (ranges.rank.tolist(), ranges.lower.tolist(), ranges.upper.tolist()) == ([1, 2, 3], [1, 2, 3], [1, 2, 3])
    assert ranges.above.tolist() == [[False, True, True], [False, False, True], [False, False, False]]


def test_equals_share_the_whole_range():
    ranges = rank_ranges(fit_bradley_terry(Counts.of(50.0 * (1 - np.eye(4)))))
    assert (ranges.lower.tolist(), ranges.upper.tolist()) == ([1] * 4, [4] * 4)
    assert ranges.rank.tolist() == [1] * 4


def test_ranges_count_significant_differences_above_and_below():
    fit = fit_bradley_terry(bradley_terry_world(12, 3000, seed=1).votes)
    ranges = rank_ranges(fit, family=Family.PAIR)
    error = np.sqrt(fit.difference_variance())
    for i in range(12):
        score = (fit.strength[i] - fit.strength) / np.where(error[i] > 0, error[i], 1.0)
        assert ranges.lower[i] == 1 + (score < -1.959963984540054).sum()
        assert ranges.upper[i] == 12 - (score > 1.959963984540054).sum()
        assert ranges.lower[i] <= ranges.rank[i] <= ranges.upper[i]


def test_more_simultaneous_statements_widen_the_ranges():
    fit = fit_bradley_terry(bradley_terry_world(12, 3000, seed=1).votes)
    widths = [(r.upper - r.lower).sum() for r in (rank_ranges(fit, family=family) for family in Family)]
    assert list(Family) == [Family.PAIR, Family.CONTESTANT, Family.BOARD]
    assert widths[0] < widths[1] < widths[2]
    with pytest.raises(BadParameter, match="level is 95"):
        rank_ranges(fit, level=95)


def test_ranges_do_not_depend_on_the_gauge():
    """Pitfall: overlap of single intervals would, since the gauge inflates and deflates every one of them."""
    votes = bradley_terry_world(8, 1500, seed=2).votes
    ranges = [rank_ranges(fit_bradley_terry(votes, gauge=gauge)) for gauge in (Gauge.BATTLES, Gauge.EQUAL, 0)]
    for other in ranges[1:]:
        np.testing.assert_array_equal(other.above, ranges[0].above)


def test_a_difference_can_be_significant_though_single_intervals_overlap():
    """Pitfall: the overlap rule is conservative. Two that met often but the anchor seldom are a clear case."""
    fit = fit_bradley_terry(Counts.of([[0, 300, 6], [220, 0, 6], [2, 2, 0]]), gauge=2)
    points = fit.to_points()
    assert points.lower[0] < points.upper[1]
    assert rank_ranges(fit).above[0, 1]


def test_groups_that_never_met_are_not_ordered():
    """Pitfall: ranks across components mean nothing, however far the prior sets them apart."""
    strong = [(0, 1, 1.0)] * 90 + [(1, 0, 1.0)] * 10
    other = [(2, 3, 1.0)] * 60 + [(3, 2, 1.0)] * 40
    ranges = rank_ranges(fit_bradley_terry(from_rows(strong + other, 5)))
    assert ranges.above[0].tolist() == [False, True, False, False, False]
    assert ranges.rank.tolist() == [1, 2, 1, 2, 0]
    assert (ranges.lower.tolist(), ranges.upper.tolist()) == ([1, 2, 1, 1, 0], [1, 2, 2, 2, 0])
    assert (ranges.component.tolist(), ranges.comparable) == ([0, 0, 1, 1, -1], False)
    assert rank_ranges(fit_bradley_terry(from_rows(strong, 2))).comparable


def test_ranges_cover_true_ranks_as_often_as_stated():
    """60 boards of 8: every board whose ranges all cover counts for BOARD, every contestant for CONTESTANT."""
    hits = {Family.CONTESTANT: 0, Family.BOARD: 0}
    for seed in range(60):
        world = bradley_terry_world(8, 800, seed=100 + seed, spread=0.3)
        truth = np.argsort(np.argsort(-world.strength)) + 1
        for family in hits:
            ranges = rank_ranges(fit_bradley_terry(world.votes), family=family)
            covered = (ranges.lower <= truth) & (truth <= ranges.upper)
            hits[family] += int(covered.all()) if family is Family.BOARD else int(covered.sum())
    assert hits[Family.CONTESTANT] >= 0.95 * 60 * 8
    assert hits[Family.BOARD] >= 0.95 * 60


def test_an_absent_contestant_has_no_rank_and_takes_none():
    votes = bradley_terry_world(3, 300, seed=4).votes
    shifted = Comparisons(a=votes.a + 1, b=votes.b + 1, outcome=votes.outcome, count=4)
    ranges = rank_ranges(fit_bradley_terry(shifted))
    assert (ranges.rank[0], ranges.lower[0], ranges.upper[0]) == (0, 0, 0)
    assert sorted(ranges.rank[1:].tolist()) == [1, 2, 3]
    assert ranges.upper.max() <= 3
