"""Elo's online pass."""

import evalica
import numpy as np
import pytest

from ranking import BadParameter, BothBad, Comparisons, NoComparisons, fit_bradley_terry, rate_elo
from tests.ranking.published import PUDDING_ELO, pudding_votes
from tests.ranking.worlds import bradley_terry_world, davidson_world, from_rows


def test_one_battle_between_equals_moves_half_of_k():
    assert rate_elo(from_rows([(0, 1, 1.0)], 3), k=32).points[:2].tolist() == [1016.0, 984.0]
    assert np.isnan(rate_elo(from_rows([(0, 1, 1.0)], 3)).points[2])


def test_pudding_agrees_with_other_programs():
    np.testing.assert_allclose(rate_elo(pudding_votes(), k=4).points, PUDDING_ELO, atol=5e-4)


def test_evalica_gives_the_same_ratings():
    votes = bradley_terry_world(8, 3000, seed=1).votes
    peer = evalica.elo(votes.a, votes.b, [WINNER[outcome] for outcome in votes.outcome], k=4.0).scores
    np.testing.assert_allclose(rate_elo(votes, k=4).points, peer.sort_index().to_numpy(), atol=1e-6)


WINNER = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}


def test_points_are_conserved():
    points = rate_elo(bradley_terry_world(8, 3000, seed=2).votes, k=20).points
    assert points.mean() == pytest.approx(1000.0)


def test_the_order_of_the_log_moves_ratings_and_shuffling_averages_it_out():
    """Pitfall: in the order of a file Elo may disagree with the fit to the same votes."""
    votes = bradley_terry_world(8, 4000, seed=3).votes
    winner = np.where(votes.outcome == 1.0, votes.a, votes.b)
    weakest_last = votes.select(np.argsort(-winner, kind="stable"))
    fitted = fit_bradley_terry(votes).to_points().points
    in_order, sorted_log = rate_elo(votes, k=16).points, rate_elo(weakest_last, k=16).points
    assert np.abs(sorted_log - in_order).max() > 50
    averaged = rate_elo(weakest_last, k=16, shuffles=20, rng=np.random.default_rng(1))
    assert averaged.spread is not None
    assert np.abs(averaged.points - fitted).max() < 30
    assert (averaged.spread > 5).all()
    again = rate_elo(weakest_last, k=16, shuffles=20, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(again.points, averaged.points)


def test_weights_scale_the_step_and_both_bad_is_left_out_by_default():
    rows = [(0, 1, 1.0), (0, 1, 0.5)]
    votes = from_rows(rows, 2, both_bad=np.array([False, True]), weight=np.array([2.0, 1.0]))
    assert rate_elo(votes, k=4).points.tolist() == [1004.0, 996.0]
    assert rate_elo(votes, k=4, both_bad=BothBad.HALF).points[0] < 1004.0


def test_a_contestant_met_with_itself_moves_nothing():
    votes = bradley_terry_world(5, 300, seed=4).votes
    rows = list(zip(votes.a, votes.b, votes.outcome, strict=True))
    among = [row for vote in rows for row in (vote, (vote[0], vote[0], 1.0))]
    np.testing.assert_array_equal(rate_elo(from_rows(among, 5)).points, rate_elo(votes).points)


def test_a_long_log_is_the_formula_row_by_row():
    """More rows than are turned into lists at a time, with and without weights."""
    votes = davidson_world(300, 40_000, 0.5, seed=5).votes
    for weight in (None, np.random.default_rng(5).random(40_000)):
        points = np.full(300, 1000.0)
        steps = np.ones(40_000) if weight is None else weight
        for a, b, outcome, step in zip(votes.a, votes.b, votes.outcome, steps, strict=True):
            change = 16 * step * (outcome - 1 / (1 + 10 ** ((points[b] - points[a]) / 400)))
            points[a] += change
            points[b] -= change
        weighted = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=300, weight=weight)
        np.testing.assert_allclose(rate_elo(weighted, k=16).points, points, atol=1e-8)


def test_settings_out_of_range_are_refused():
    votes = from_rows([(0, 1, 1.0)], 2)
    with pytest.raises(BadParameter, match="k is 0"):
        rate_elo(votes, k=0)
    with pytest.raises(BadParameter, match="an rng"):
        rate_elo(votes, shuffles=3)
    with pytest.raises(NoComparisons):
        rate_elo(Comparisons(a=np.array([]), b=np.array([]), outcome=np.array([]), count=2))
