"""Bradley-Terry: published examples, invariances, recovery, and what it refuses or flags."""

from math import inf

import numpy as np
import pytest

from ranking import (
    BOARD_PRIOR,
    POINTS_PER_LOGIT,
    BothBad,
    Comparisons,
    Counts,
    Covariance,
    Gauge,
    NoComparisons,
    NoConvergence,
    NormalPrior,
    NotConnected,
    Note,
    NotStronglyConnected,
    OnlyTies,
    ShapeMismatch,
    UnknownIndex,
    VirtualTie,
    bradley_terry_strengths,
    count_matrix,
    fit_bradley_terry,
    rank_ranges,
)
from tests.ranking.published import (
    BASEBALL_STRENGTHS,
    PUDDING_HESSIAN,
    PUDDING_LOG_LIKELIHOOD,
    PUDDING_POINTS,
    PUDDING_SANDWICH,
    baseball_counts,
    pudding_votes,
)
from tests.ranking.worlds import bradley_terry_world, from_rows

RAW = {"prior": None, "floor": False}


def test_agrestis_baseball_table_is_reproduced():
    fit = fit_bradley_terry(baseball_counts(), gauge=6, covariance=Covariance.HESSIAN, **RAW)
    assert tuple(fit.strength.round(2)) == BASEBALL_STRENGTHS
    assert fit.standard_error()[:6].round(1).tolist() == [0.3] * 6
    assert fit.standard_error()[6] == 0.0


def test_davidsons_pudding_agrees_with_other_programs():
    fit = fit_bradley_terry(pudding_votes(), gauge=Gauge.EQUAL, **RAW)
    hessian = fit_bradley_terry(pudding_votes(), gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN, **RAW)
    points = fit.to_points()
    np.testing.assert_allclose(points.points, PUDDING_POINTS, atol=6e-5)
    np.testing.assert_allclose(points.standard_error, PUDDING_SANDWICH, atol=6e-5)
    np.testing.assert_allclose(hessian.to_points().standard_error, PUDDING_HESSIAN, atol=6e-5)
    assert fit.log_likelihood == pytest.approx(PUDDING_LOG_LIKELIHOOD, abs=1e-9)
    assert fit.clustering.kind is Covariance.SANDWICH


def test_the_estimate_is_the_maximum_within_a_millionth_of_a_point():
    world = bradley_terry_world(30, 20_000, seed=11)
    fit = fit_bradley_terry(world.votes, prior=None)
    wins = count_matrix(world.votes).wins
    chance = fit.win_probability()
    residual = wins.sum(axis=1) - ((wins + wins.T) * chance).sum(axis=1)
    # One more Newton step, from the residual, would move no rating by a millionth of a point.
    step = fit.hessian_covariance @ residual
    assert np.abs(step).max() * POINTS_PER_LOGIT < 1e-6


def test_points_are_four_hundred_for_a_factor_of_ten():
    fit = fit_bradley_terry(Counts.of([[0, 100], [10, 0]]), gauge=Gauge.EQUAL, **RAW)
    points = fit.to_points()
    np.testing.assert_allclose(points.points, [1200.0, 800.0], atol=1e-9)
    assert fit.win_probability()[0, 1] == pytest.approx(100 / 110)
    half = 1.959963984540054 * points.standard_error
    np.testing.assert_allclose(points.upper - points.points, half)
    np.testing.assert_allclose(points.points - points.lower, half)


def same(left, right, rows=slice(None)):
    np.testing.assert_allclose(left.strength, right.strength[rows], atol=1e-9)
    np.testing.assert_allclose(left.standard_error(), right.standard_error()[rows], atol=1e-9)
    assert left.log_likelihood == pytest.approx(right.log_likelihood, abs=1e-6)


def test_swapping_the_sides_changes_nothing():
    votes = bradley_terry_world(6, 500, seed=1).votes
    swapped = Comparisons(a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, count=6)
    same(fit_bradley_terry(votes), fit_bradley_terry(swapped))


def test_relabelling_the_contestants_relabels_the_result():
    votes = bradley_terry_world(6, 500, seed=2).votes
    label = np.array([3, 0, 5, 1, 4, 2])
    renamed = Comparisons(a=label[votes.a], b=label[votes.b], outcome=votes.outcome, count=6)
    same(fit_bradley_terry(votes), fit_bradley_terry(renamed), rows=label)


def test_the_order_of_the_rows_does_not_matter():
    votes = bradley_terry_world(6, 500, seed=3).votes
    same(fit_bradley_terry(votes), fit_bradley_terry(votes.select(np.random.default_rng(0).permutation(500))))


def test_a_weight_of_two_is_two_votes():
    votes = bradley_terry_world(6, 500, seed=4).votes
    twice = votes.select(np.repeat(np.arange(500), 2))
    weighted = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=6, weight=np.full(500, 2.0))
    same(fit_bradley_terry(twice), fit_bradley_terry(weighted))


def test_a_weight_of_zero_is_no_vote():
    votes = bradley_terry_world(5, 200, seed=5).votes
    weight = np.where(np.arange(200) < 150, 1.0, 0.0)
    weighted = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5, weight=weight)
    same(fit_bradley_terry(weighted), fit_bradley_terry(votes.select(np.arange(150))))


def test_the_gauge_moves_all_strengths_by_one_constant():
    votes = bradley_terry_world(5, 300, seed=6).votes
    fits = [fit_bradley_terry(votes, gauge=gauge, **RAW) for gauge in (Gauge.BATTLES, Gauge.EQUAL, 2)]
    for fit in fits:
        assert fit.gauge.sum() == pytest.approx(1.0)
        assert fit.gauge @ fit.strength == pytest.approx(0.0, abs=1e-12)
        assert fit.gauge @ fit.covariance @ fit.gauge == pytest.approx(0.0, abs=1e-12)
        np.testing.assert_allclose(np.ptp(fit.strength - fits[0].strength), 0.0, atol=1e-12)
        np.testing.assert_allclose(fit.difference_variance(), fits[0].difference_variance(), atol=1e-12)
    with pytest.raises(UnknownIndex, match="gauge is 5"):
        fit_bradley_terry(votes, gauge=5)


def test_a_rare_contestant_hardly_moves_the_others():
    """Pitfall: with every contestant counting the same, one with two votes shifts and inflates everybody."""
    votes = bradley_terry_world(10, 20_000, seed=7).votes
    rare = [(10, 0, 1.0), (10, 1, 0.0)]
    a, b, y = (np.array(column) for column in zip(*rare, strict=True))
    joined = Comparisons(
        a=np.concatenate((votes.a, a)),
        b=np.concatenate((votes.b, b)),
        outcome=np.concatenate((votes.outcome, y)),
        count=11,
    )
    without, by_battles = fit_bradley_terry(votes).to_points(), fit_bradley_terry(joined).to_points()
    equal = fit_bradley_terry(joined, gauge=Gauge.EQUAL).to_points()
    assert np.abs(by_battles.points[2:10] - without.points[2:]).max() < 0.05
    assert np.abs(equal.points[2:10] - without.points[2:]).min() > 1.0
    np.testing.assert_allclose(by_battles.standard_error[:10], without.standard_error, rtol=0.01)


def test_a_warm_start_reaches_the_same_strengths_in_fewer_steps():
    votes = bradley_terry_world(8, 4000, seed=8).votes
    cold = fit_bradley_terry(votes)
    warm = fit_bradley_terry(votes, start=cold.strength)
    np.testing.assert_allclose(warm.strength, cold.strength, atol=1e-12)
    assert warm.iterations < cold.iterations
    with pytest.raises(ShapeMismatch, match="one strength for each of 8"):
        fit_bradley_terry(votes, start=np.zeros(3))


def test_strengths_are_recovered_within_their_errors():
    world = bradley_terry_world(12, 12_000, seed=9)
    fit = fit_bradley_terry(world.votes, gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN, prior=None)
    score = (fit.strength - world.strength) / fit.standard_error()
    assert np.sqrt(np.mean((fit.strength - world.strength) ** 2)) < 0.045 * 1.5
    assert 0.4 < np.mean(score**2) < 2.0


def test_contestants_without_a_vote_have_no_rating_and_move_nothing():
    votes = bradley_terry_world(4, 400, seed=10).votes
    label = np.array([1, 2, 4, 5])
    spread = Comparisons(a=label[votes.a], b=label[votes.b], outcome=votes.outcome, count=7)
    fit = fit_bradley_terry(spread)
    same(fit_bradley_terry(votes), fit, rows=label)
    assert fit.evidence.present.tolist() == [False, True, True, False, True, True, False]
    assert fit.evidence.component.tolist() == [-1, 0, 0, -1, 0, 0, -1]
    assert not fit.evidence.provisional[[0, 3, 6]].any()
    points = fit.to_points()
    for values in (fit.strength, points.points, points.lower, points.upper, np.diag(fit.covariance)):
        assert np.isnan(values[[0, 3, 6]]).all()
    assert rank_ranges(fit).rank[[0, 3, 6]].tolist() == [0, 0, 0]


def test_meeting_oneself_says_nothing_about_the_order():
    votes = bradley_terry_world(4, 400, seed=12).votes
    own = Comparisons(
        a=np.append(votes.a, [2, 2, 2]),
        b=np.append(votes.b, [2, 2, 2]),
        outcome=np.append(votes.outcome, [1, 0, 0.5]),
        count=4,
    )
    plain, with_own = fit_bradley_terry(votes, gauge=Gauge.EQUAL), fit_bradley_terry(own, gauge=Gauge.EQUAL)
    np.testing.assert_allclose(with_own.strength, plain.strength, atol=1e-12)
    np.testing.assert_allclose(with_own.covariance, plain.covariance, atol=1e-12)
    assert with_own.evidence.battles[2] == plain.evidence.battles[2] + 6
    assert with_own.log_likelihood == pytest.approx(plain.log_likelihood - 3 * np.log(2))
    with pytest.raises(NoComparisons):
        fit_bradley_terry(from_rows([(0, 0, 1.0)], 2))


def test_votes_of_neither_are_left_out_or_counted_half():
    """Pitfall: they say nothing about the order, yet peers fold them into ties."""
    rows = [(0, 1, 1.0)] * 6 + [(0, 1, 0.0)] * 2 + [(0, 1, 0.5)] * 8
    votes = from_rows(rows, 2, both_bad=np.arange(16) >= 8)
    left_out = fit_bradley_terry(votes, gauge=1, **RAW)
    half = fit_bradley_terry(votes, gauge=1, both_bad=BothBad.HALF, **RAW)
    assert left_out.strength[0] == pytest.approx(np.log(6 / 2))
    assert half.strength[0] == pytest.approx(np.log(10 / 6))
    assert (left_out.evidence.battles.tolist(), half.evidence.battles.tolist()) == ([8, 8], [16, 16])
    with pytest.raises(NoComparisons, match=r"BothBad\.HALF"):
        fit_bradley_terry(votes.select(np.arange(8, 16)))


def test_nothing_to_fit_is_refused():
    with pytest.raises(NoComparisons, match="collect votes"):
        fit_bradley_terry(Comparisons(a=np.array([]), b=np.array([]), outcome=np.array([]), count=3))
    with pytest.raises(NoComparisons):
        fit_bradley_terry(from_rows([(0, 1, 1.0)], 2, weight=np.zeros(1)))


def test_groups_that_never_met_are_named():
    """Pitfall: peers print ratings across groups as if they were comparable."""
    rows = [(0, 1, 1.0), (1, 0, 1.0), (2, 4, 1.0), (4, 2, 1.0), (4, 5, 0.5)]
    with pytest.raises(NotConnected, match=r"\{2, 4, 5\}, \{0, 1\}") as refusal:
        fit_bradley_terry(from_rows(rows, 6), prior=None)
    assert refusal.value.components == ((2, 4, 5), (0, 1))
    fit = fit_bradley_terry(from_rows(rows, 6))
    assert Note.NOT_CONNECTED in fit.notes
    assert fit.evidence.component.tolist() == [0, 0, 1, -1, 1, 1]


def test_the_undefeated_are_refused_without_a_prior_and_flagged_with_one():
    """Pitfall: peers give them an arbitrary finite rating with a tiny interval."""
    rows = [(0, 1, 1.0), (0, 2, 1.0), *[(1, 2, 1.0), (2, 1, 1.0)] * 40, (3, 1, 0.0), (3, 2, 0.0)]
    with pytest.raises(NotStronglyConnected, match=r"\{1, 2\}, \{0\}, \{3\}") as refusal:
        fit_bradley_terry(from_rows(rows, 4), prior=None)
    assert refusal.value.components == ((1, 2), (0,), (3,))
    fit = fit_bradley_terry(from_rows(rows, 4))
    assert fit.evidence.undefeated.tolist() == [True, False, False, False]
    assert fit.evidence.winless.tolist() == [False, False, False, True]
    assert fit.evidence.provisional.tolist() == [True, False, False, True]
    assert Note.SEPARATED in fit.notes
    points = fit.to_points()
    assert (points.upper[0], points.lower[3]) == (inf, -inf)
    assert np.isfinite(points.lower[:3]).all()
    assert np.isfinite(points.upper[1:]).all()
    assert points.standard_error[0] > 200


def test_a_group_that_only_beats_the_rest_is_flagged_though_none_in_it_is_undefeated():
    inside = [(0, 1, 1.0), (1, 0, 1.0)] * 20
    below = [(2, 3, 1.0), (3, 2, 1.0)] * 60
    fit = fit_bradley_terry(from_rows([*inside, *below, *[(0, 2, 1.0)] * 5], 4))
    assert not fit.evidence.undefeated.any()
    assert fit.evidence.provisional.tolist() == [True, True, False, False]
    assert fit.notes == (Note.SEPARATED,)


def test_few_identical_outcomes_do_not_make_a_tiny_interval():
    """Pitfall: two ties give the sandwich no variance at all; the floor is the Hessian's."""
    votes = bradley_terry_world(6, 6000, seed=13).votes
    a, b = np.append(votes.a, [6, 6]), np.append(votes.b, [0, 1])
    joined = Comparisons(a=a, b=b, outcome=np.append(votes.outcome, [0.5, 0.5]), count=7)
    bare = fit_bradley_terry(joined, floor=False).to_points()
    floored = fit_bradley_terry(joined)
    hessian = fit_bradley_terry(joined, covariance=Covariance.HESSIAN).to_points()
    assert bare.standard_error[6] < 60
    assert floored.to_points().standard_error[6] == pytest.approx(hessian.standard_error[6])
    assert floored.to_points().standard_error[6] > 200
    assert floored.evidence.provisional.tolist() == [False] * 6 + [True]
    np.testing.assert_allclose(floored.to_points().standard_error[:6], bare.standard_error[:6])
    ranges = rank_ranges(floored)
    assert (ranges.lower[6], ranges.upper[6]) == (1, 7)


def test_only_ties_order_nobody():
    with pytest.raises(OnlyTies, match="fit with a prior"):
        fit_bradley_terry(from_rows([(0, 1, 0.5), (1, 2, 0.5)], 3), prior=None)
    fit = fit_bradley_terry(from_rows([(0, 1, 0.5), (1, 2, 0.5)], 3))
    np.testing.assert_allclose(fit.strength, 0.0, atol=1e-12)
    assert fit.evidence.provisional.all()
    assert (fit.standard_error() > 0.5).all()


def test_a_chain_of_landslides_that_leaves_the_range_of_doubles_is_refused():
    size = 60
    wins = np.zeros((size, size))
    wins[np.arange(size - 1), np.arange(1, size)] = 1e8
    wins[np.arange(1, size), np.arange(size - 1)] = 1.0
    with pytest.raises(NoConvergence, match="prior"):
        fit_bradley_terry(Counts.of(wins), prior=None)


def test_priors_shrink_towards_the_average_and_vanish_with_data():
    few, many = Counts.of([[0, 3], [1, 0]]), Counts.of([[0, 30_000], [10_000, 0]])
    raw = fit_bradley_terry(few, prior=None).strength
    for prior in (VirtualTie(0.5), NormalPrior(1.0)):
        shrunk = fit_bradley_terry(few, prior=prior).strength
        assert (np.abs(shrunk) < np.abs(raw)).all()
        assert np.abs(fit_bradley_terry(many, prior=prior).strength - raw).max() * POINTS_PER_LOGIT < 0.1


def test_the_default_prior_moves_no_well_compared_contestant_by_a_point():
    votes = bradley_terry_world(20, 20_000, seed=14).votes
    difference = fit_bradley_terry(votes).to_points().points - fit_bradley_terry(votes, prior=None).to_points().points
    assert np.abs(difference).max() < 1.0


def test_ten_copies_of_every_vote_do_not_narrow_a_clustered_interval():
    """Pitfall: duplicated votes shrink a naive interval by the root of ten."""
    votes = bradley_terry_world(5, 400, seed=15).votes
    single = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5, prompt=np.arange(400))
    copied = single.select(np.repeat(np.arange(400), 10))
    naive = fit_bradley_terry(copied, covariance=Covariance.SANDWICH, prior=None).standard_error()
    clustered = fit_bradley_terry(copied, prior=None)
    assert clustered.clustering.kind is Covariance.PROMPT
    np.testing.assert_allclose(clustered.standard_error(), fit_bradley_terry(single, prior=None).standard_error())
    np.testing.assert_allclose(clustered.standard_error() / naive, np.sqrt(10 * 400 / 399), rtol=1e-6)


@pytest.mark.parametrize("prior", [None, BOARD_PRIOR], ids=["raw", "board"])
def test_strengths_alone_are_those_of_the_fit(prior):
    votes = bradley_terry_world(8, 600, seed=41).votes
    fit = fit_bradley_terry(votes, prior=prior)
    for start in (None, fit.strength):
        alone = bradley_terry_strengths(votes, prior=prior, start=start)
        np.testing.assert_allclose(alone, fit.strength, rtol=0, atol=2e-9)  # a millionth of a point is 6e-9


def test_strengths_alone_are_refused_as_the_fit_is():
    with pytest.raises(NotConnected):
        bradley_terry_strengths(
            Counts.of(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])), prior=None
        )
    with pytest.raises(OnlyTies):
        bradley_terry_strengths(Counts.of(np.zeros((2, 2)), np.array([[0, 1], [0, 0]])), prior=None)
