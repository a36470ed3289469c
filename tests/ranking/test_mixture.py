"""Mixtures of Bradley-Terry groups: the likelihood by hand, maxima, recovery, the max-min board, refusals."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
from scipy.optimize import minimize

from ranking import (
    Adjustment,
    BadParameter,
    BothBad,
    Comparisons,
    Covariance,
    EmptyGroup,
    Gauge,
    MissingLabels,
    NoComparisons,
    ShapeMismatch,
    Side,
    VirtualTie,
    choose_group_count,
    fit_bradley_terry,
    fit_mixture,
    generator,
    max_min_board,
)
from ranking.annotators.adjusted import Asked
from ranking.annotators.adjusted_mixture import Mixing, Point
from ranking.annotators.grouping import climb_once, respond
from ranking.annotators.panel import panel_of
from tests.ranking.annotator_worlds import mixture_world
from tests.ranking.worlds import from_rows


def fitted(votes, groups=2, seed=0, **settings):
    return fit_mixture(votes, groups=groups, rng=np.random.default_rng(seed), **settings)


def test_the_likelihood_of_a_person_is_the_mean_over_groups_of_the_product_over_votes():
    votes = from_rows([(0, 1, 1.0), (1, 2, 0.0), (0, 2, 0.5), (0, 1, 0.0)], 3, annotator=np.array([7, 7, 7, 4]))
    strength, share = np.array([[0.5, 0.0, -0.5], [-1.0, 0.2, 0.8]]), np.array([0.6, 0.4])

    def p(d):
        return 1.0 / (1.0 + np.exp(-d))

    def person_seven(t):
        return p(t[0] - t[1]) * (1 - p(t[1] - t[2])) * np.sqrt(p(t[0] - t[2]) * (1 - p(t[0] - t[2])))

    seven = share * [person_seven(t) for t in strength]
    four = share * [1 - p(t[0] - t[1]) for t in strength]
    belongs, log_likelihood = respond(panel_of(votes, BothBad.LEAVE_OUT), strength, share)
    assert log_likelihood == pytest.approx(log(seven.sum()) + log(four.sum()))
    np.testing.assert_allclose(belongs, [four / four.sum(), seven / seven.sum()])


def test_em_ends_at_a_maximum_of_the_posterior():
    votes = mixture_world(4, 12, 40, seed=1, spread=1.2).votes
    panel, prior = panel_of(votes, BothBad.LEAVE_OUT), VirtualTie(0.5)
    end = climb_once(panel, 2, prior, np.random.default_rng(0), 1e-12)

    def loss(x):
        strength, share = x[:8].reshape(2, 4), 1.0 / (1.0 + np.exp(-x[8] * np.array([1.0, -1.0])))
        return -respond(panel, strength, share)[1] - sum(prior.log_density(one) for one in strength)

    start = np.append(end.strength.ravel(), log(end.share[0] / end.share[1]))
    slope = [(loss(start + e) - loss(start - e)) / 2e-5 for e in 1e-5 * np.eye(9)]
    np.testing.assert_allclose(slope, 0.0, atol=1e-3)
    assert minimize(loss, start + 0.05).fun == pytest.approx(-end.value, abs=1e-5)


@pytest.mark.parametrize(("side", "variance"), [(None, 0.0), (Side.COMMON, 0.0), (Side.ANNOTATOR, 0.4)])
def test_gradient_and_information_are_derivatives_of_the_posterior(side, variance):
    """By Fisher's identity the slope at fixed responsibilities is that of the likelihood itself, whose own they are;
    the information is that of the votes once the groups are known."""
    votes = mixture_world(4, 6, 15, seed=5, spread=1.2).votes
    rng = np.random.default_rng(6)
    outcome, weight = np.where(rng.random(90) < 0.2, 0.5, votes.outcome), rng.integers(1, 3, 90).astype(float)
    panel = panel_of(replace(votes, outcome=outcome, weight=weight, covariates=rng.normal(size=(90, 1))), BothBad.HALF)
    asked = Asked.nothing(panel) if side is None else Asked.of(panel, Adjustment(side=side, penalty=2.0))
    mixing, share = Mixing(asked, VirtualTie(0.5), variance), np.array([0.6, 0.4])
    size = np.cumsum([8, asked.columns.count])
    flat = rng.normal(0.0, 0.7, size[1] + 6) * np.append(np.ones(size[1]), np.full(6, variance > 0.0))
    free = 1e-5 * np.eye(len(flat))[: None if variance else size[1]]

    def at(x):
        strength, effect, leaning = np.split(x, size)
        return Point(strength.reshape(2, 4), effect, leaning)

    def told(x):
        return respond(panel, at(x).strength, share, mixing.beside(at(x)))

    def posterior(x):
        return told(x)[1] + mixing.believed(at(x))

    belongs = told(flat)[0]
    slope = [(posterior(flat + e) - posterior(flat - e)) / 2e-5 for e in free]
    np.testing.assert_allclose(np.concatenate(mixing.gradient(belongs, at(flat)))[: len(free)], slope, atol=1e-7)

    def known(x):
        return np.concatenate(mixing.gradient(belongs, at(x)))[: len(free)]

    found = mixing.information(belongs, at(flat))
    whole = np.block([[found.strength, found.crossed], [found.crossed.T, np.diag(found.own)]])[: len(free), : len(free)]
    bent = [(known(flat - e) - known(flat + e)) / 2e-5 for e in free]
    np.testing.assert_allclose(whole, bent, atol=1e-7)


def test_one_group_is_bradley_terry():
    votes = mixture_world(6, 10, 60, seed=2).votes
    plain, fit = fit_bradley_terry(votes, gauge=Gauge.EQUAL), fitted(votes, groups=1)
    np.testing.assert_allclose(fit.strength[0], plain.strength, atol=1e-7)
    np.testing.assert_allclose(fit.boards[0].covariance, plain.covariance, atol=1e-9)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood)
    assert fit.bic == pytest.approx(5 * log(10) - 2 * plain.log_likelihood)
    assert (fit.share.tolist(), fit.responsibility.tolist()) == ([1.0], [[1.0]] * 10)


@pytest.mark.parametrize("seed", [201, 202, 203])
def test_groups_and_their_shares_are_recovered_at_two_hundred_votes_each(seed):
    world = mixture_world(12, 40, 200, seed)
    fit = fitted(world.votes, seed=seed)
    assert fit.annotator.tolist() == list(range(40))
    assert fit.group.tolist() == world.own.tolist()
    np.testing.assert_allclose(fit.share, [0.7, 0.3], atol=1e-3)
    np.testing.assert_allclose(fit.responsibility.sum(axis=1), 1.0)
    assert np.ptp(fit.restart_values) < 1e-3
    for board, strength in zip(fit.boards, world.strength, strict=True):
        assert (np.abs(board.strength - strength) < 4.0 * board.standard_error()).all()
        assert board.strength.sum() == pytest.approx(0.0, abs=1e-9)
    assert [board.clustering.annotators for board in fit.boards] == [28, 12]
    assert fit.boards[0].clustering.kind is Covariance.ANNOTATOR


def test_the_number_of_groups_is_found_by_unseen_votes_and_by_bic():
    for share, groups in ((0.7, 2), (1.0, 1)):
        world = mixture_world(8, 24, 150, seed=210, share=share)
        choice = choose_group_count(world.votes, rng=np.random.default_rng(1), most=3, restarts=2, folds=3)
        assert (choice.chosen + 1, choice.significant) == (groups, groups > 1)
        assert np.argmin([fitted(world.votes, groups=g, restarts=2).bic for g in (1, 2, 3)]) + 1 == groups


def test_the_max_min_board_minimises_what_the_worst_served_group_loses():
    """The majority's favourite is the minority's last; contestant 1 is everyone's second."""
    strength = np.array([[2.0, 1.5, 0.0, -3.5], [-2.0, 1.0, -1.5, 2.5]])
    board = max_min_board(strength)
    np.testing.assert_allclose(board.regret, [[0.0, 0.5, 2.0, 5.5], [4.5, 1.5, 4.0, 0.0]])
    np.testing.assert_allclose(board.worst, [4.5, 1.5, 4.0, 5.5])
    assert board.worst_group.tolist() == [1, 1, 1, 0]
    assert board.order.tolist() == [1, 2, 0, 3]
    shifted = max_min_board(strength + np.array([[10.0], [-3.0]]))
    np.testing.assert_allclose(shifted.worst, board.worst)


def test_a_contestant_that_a_group_never_met_is_ranked_last_and_has_no_worst_case():
    board = max_min_board(np.array([[0.5, np.nan, -0.5], [-0.5, 1.5, -1.0]]))
    np.testing.assert_allclose(board.worst, [2.0, np.nan, 2.5])
    assert board.order.tolist() == [0, 2, 1]
    assert board.worst_group.tolist() == [1, -1, 1]


def test_the_max_min_contestant_of_a_simulated_public_is_found():
    world = mixture_world(12, 40, 200, seed=204)
    found, true = max_min_board(fitted(world.votes).strength), max_min_board(world.strength)
    assert true.worst[found.order[0]] < true.worst.min() + 0.2


def test_sides_names_weights_and_the_generators_seed_change_nothing_but_their_own():
    votes = mixture_world(5, 12, 60, seed=3, spread=1.2).votes
    plain = fitted(votes)
    np.testing.assert_array_equal(fitted(votes).strength, plain.strength)
    np.testing.assert_allclose(fitted(votes, seed=1).strength, plain.strength, atol=1e-3)
    swapped = replace(votes, a=votes.b, b=votes.a, outcome=1.0 - votes.outcome)
    np.testing.assert_allclose(fitted(swapped).strength, plain.strength, atol=1e-6)
    twice = np.tile(np.arange(len(votes)), 2)
    doubled, weighed = fitted(votes.select(twice)), fitted(replace(votes, weight=np.full(len(votes), 2.0)))
    np.testing.assert_allclose(doubled.strength, weighed.strength, atol=1e-6)
    label = np.array([3, 5, 0, 2, 6])
    renamed = fitted(replace(votes, a=label[votes.a], b=label[votes.b], count=7))
    np.testing.assert_allclose(renamed.strength[:, label], plain.strength, atol=1e-3)
    assert np.isnan(renamed.strength[:, [1, 4]]).all()


def test_what_cannot_be_fitted_is_refused_by_name():
    votes = mixture_world(4, 5, 20, seed=4).votes
    with pytest.raises(MissingLabels, match="give `annotator`"):
        fitted(replace(votes, annotator=None))
    with pytest.raises(NoComparisons, match="collect votes"):
        fitted(votes.select(np.zeros(100, dtype=bool)))
    with pytest.raises(BadParameter, match="give at least 1"):
        fitted(votes, groups=0)
    with pytest.raises(BadParameter, match="6 groups of 5 annotators"):
        fitted(votes, groups=6)
    with pytest.raises(BadParameter, match="folds from 2"):
        choose_group_count(votes, rng=np.random.default_rng(0), folds=1)
    with pytest.raises(ShapeMismatch, match="one row per group"):
        max_min_board(np.zeros(3))


@pytest.mark.parametrize("adjust", [None, Adjustment(side=Side.COMMON)])
def test_people_who_agree_are_no_two_groups(adjust):
    rows = [(0, 1, 1.0), (2, 0, 0.0), (1, 2, 1.0), (1, 0, 0.0), (0, 2, 1.0), (2, 1, 0.0)] * 25
    votes = from_rows(rows, 3, annotator=np.repeat(np.arange(25), 6))
    assert fit_mixture(votes, groups=1, rng=generator(1)).share.tolist() == [1.0]
    with pytest.raises(EmptyGroup, match="emptied in every one of 4 restarts; give fewer groups"):
        fit_mixture(votes, groups=2, rng=generator(1), restarts=4, adjust=adjust)


def test_runs_that_leave_a_group_empty_are_given_up_for_those_that_do_not():
    given_up = []
    for seed in (0, 1, 4, 9):
        rng = np.random.default_rng(seed)
        a = rng.integers(0, 4, 120)
        b = (a + rng.integers(1, 4, 120)) % 4
        y = (rng.random(120) < 1.0 / (1.0 + np.exp(1.5 * (a - b)))) * 1.0
        votes = Comparisons(a=a, b=b, outcome=y, count=4, annotator=rng.integers(0, 25, 120))
        try:
            fit = fit_mixture(votes, groups=2, rng=rng)
        except EmptyGroup:
            given_up.append(6)
            continue
        assert (fit.responsibility > 0.5).any(axis=0).all()
        assert np.isfinite(fit.strength).any(axis=1).all()
        given_up.append(int(np.isnan(fit.restart_values).sum()))
    assert given_up == [4, 0, 6, 5]


def test_each_groups_board_is_in_points():
    votes = mixture_world(6, 40, 40, seed=2).votes
    fit = fit_mixture(votes, groups=2, rng=generator(1))
    for board, points in zip(fit.boards, fit.to_points(0.9), strict=True):
        np.testing.assert_array_equal(points.points, board.to_points().points)
        assert points.level == 0.9


def test_max_min_boards_are_made_of_lists():
    assert max_min_board([[1.0, 0.0], [0.0, 0.5]]).worst.tolist() == [0.5, 1.0]
    with pytest.raises(BadParameter, match="a group of NaN alone"):
        max_min_board([[1.0, 0.0], [np.nan, np.nan]])
