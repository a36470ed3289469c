"""Statements from a normal approximation, against what is known in closed form."""

import numpy as np
import pytest
from scipy.stats import chi2, f, norm

from ranking import (
    BadParameter,
    NotConnected,
    ShapeMismatch,
    fit_bradley_terry,
    probability_above,
    probability_best,
    wald_test,
)
from tests.ranking.worlds import bradley_terry_world, from_rows

MEAN = np.array([0.5, 0.2, np.nan, -0.1])
COVARIANCE = np.array(
    [[0.04, 0.01, np.nan, 0.0], [0.01, 0.09, np.nan, 0.0], [np.nan] * 4, [0.0, 0.0, np.nan, 0.01]],
)


def test_probability_above_is_normal_in_the_difference():
    chance = probability_above(MEAN, COVARIANCE)
    assert chance[0, 1] == pytest.approx(norm.cdf(0.3 / np.sqrt(0.04 + 0.09 - 0.02)))
    np.testing.assert_allclose(chance[np.ix_([0, 1, 3], [0, 1, 3])] + chance[np.ix_([0, 1, 3], [0, 1, 3])].T, 1.0)
    assert np.diag(chance)[[0, 1, 3]].tolist() == [0.5] * 3
    assert np.isnan(chance[2, :]).all()


def test_what_is_certain_has_probability_one():
    chance = probability_above(np.array([1.0, 0.0, 0.0]), np.zeros((3, 3)))
    assert chance.tolist() == [[0.5, 1.0, 1.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]


def test_probability_best_of_two_is_probability_above():
    pair = np.ix_([0, 1], [0, 1])
    share = probability_best(MEAN[:2], COVARIANCE[pair], rng=np.random.default_rng(1), draws=200_000)
    assert share.sum() == pytest.approx(1.0)
    assert share[0] == pytest.approx(probability_above(MEAN, COVARIANCE)[0, 1], abs=4 * 0.5 / np.sqrt(200_000))


def test_an_absent_contestant_is_never_best():
    share = probability_best(MEAN, COVARIANCE, rng=np.random.default_rng(2))
    assert share[2] == 0.0
    assert share.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(share, probability_best(MEAN, COVARIANCE, rng=np.random.default_rng(2)))


def test_means_that_share_no_scale_have_no_best():
    votes = from_rows([(0, 1, 1.0), (1, 0, 1.0), (2, 3, 1.0), (3, 2, 1.0)] * 10, 5)
    fit = fit_bradley_terry(votes)
    with pytest.raises(NotConnected, match="Rank each group apart") as refusal:
        probability_best(fit.strength, fit.covariance, rng=np.random.default_rng(0), component=fit.evidence.component)
    assert refusal.value.components == ((0, 1), (2, 3))
    one = fit_bradley_terry(bradley_terry_world(4, 100, seed=2).votes)
    share = [
        probability_best(one.strength, one.covariance, rng=np.random.default_rng(0), component=component)
        for component in (None, one.evidence.component)
    ]
    np.testing.assert_array_equal(*share)
    with pytest.raises(ShapeMismatch, match="one for each of 4"):
        probability_best(one.strength, one.covariance, rng=np.random.default_rng(0), component=np.zeros(3, dtype=int))


def test_equal_contestants_are_best_equally_often():
    share = probability_best(np.zeros(5), np.eye(5), rng=np.random.default_rng(3), draws=50_000)
    np.testing.assert_allclose(share, 0.2, atol=4 * 0.4 / np.sqrt(50_000))


def test_wald_statistic_is_the_quadratic_form_whatever_the_gauge():
    votes = bradley_terry_world(4, 600, seed=1).votes
    contrasts = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 1.0, -1.0, 0.0], [1.0, 0.0, -1.0, 0.0]])
    for gauge in (0, 3):
        fit = fit_bradley_terry(votes, gauge=gauge)
        test = wald_test(fit.strength, fit.covariance, contrasts)
        some = contrasts[:2]
        expected = (some @ fit.strength) @ np.linalg.solve(some @ fit.covariance @ some.T, some @ fit.strength)
        assert (test.contrasts, test.statistic) == (2, pytest.approx(expected))
        assert test.p_value == pytest.approx(chi2.sf(expected, 2))
        clustered = wald_test(fit.strength, fit.covariance, contrasts, degrees_of_freedom=12)
        assert clustered.statistic == pytest.approx(expected / 2)
        assert clustered.p_value == pytest.approx(f.sf(expected / 2, 2, 12))


def test_a_joint_test_of_equal_contestants_rejects_as_often_as_stated():
    contrasts = np.hstack((np.eye(4), -np.ones((4, 1))))
    rejected = 0
    for seed in range(400):
        fit = fit_bradley_terry(bradley_terry_world(5, 500, seed=seed, spread=0.0).votes)
        rejected += wald_test(fit.strength, fit.covariance, contrasts).p_value < 0.05
    assert abs(rejected / 400 - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 400)


def test_shapes_and_empty_contrasts_are_refused():
    with pytest.raises(ShapeMismatch, match="give \\(M,\\) and \\(M, M\\)"):
        probability_above(np.zeros(2), np.eye(3))
    with pytest.raises(ShapeMismatch, match="one column for each of 2"):
        wald_test(np.zeros(2), np.eye(2), np.ones((1, 3)))
    with pytest.raises(BadParameter, match="no variance"):
        wald_test(np.zeros(2), np.zeros((2, 2)), np.array([[1.0, -1.0]]))
    with pytest.raises(BadParameter, match="draws is 0"):
        probability_best(np.zeros(2), np.eye(2), rng=np.random.default_rng(0), draws=0)
