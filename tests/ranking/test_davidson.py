"""Davidson's model of ties: the published example, derivatives, recovery, refusals."""

import numpy as np
import pytest

from ranking import (
    BothBad,
    Comparisons,
    Counts,
    Covariance,
    Gauge,
    NoConvergence,
    NotConnected,
    NoTies,
    OnlyTies,
    count_matrix,
    fit_bradley_terry,
    fit_davidson,
)
from ranking.clusters import choose_scheme
from ranking.davidson import derivatives, log_likelihood
from ranking.pair_table import tabulate
from tests.ranking.published import (
    PUDDING_DAVIDSON_LOG_LIKELIHOOD,
    PUDDING_DAVIDSON_POINTS,
    PUDDING_NU,
    pudding_votes,
)
from tests.ranking.worlds import davidson_world, from_rows


def test_davidsons_pudding_is_reproduced():
    fit = fit_davidson(pudding_votes(), prior=None, gauge=Gauge.EQUAL)
    assert fit.nu == pytest.approx(PUDDING_NU, abs=1e-9)
    assert fit.log_likelihood == pytest.approx(PUDDING_DAVIDSON_LOG_LIKELIHOOD, abs=1e-9)
    np.testing.assert_allclose(fit.to_points().points, PUDDING_DAVIDSON_POINTS, atol=6e-5)


def test_gradient_and_information_are_the_derivatives_of_the_log_likelihood():
    votes = pudding_votes()
    own = [(2, 2, 1.0), (3, 3, 0.5), (3, 3, 0.5)]
    a, b, y = (np.array(column) for column in zip(*own, strict=True))
    joined = Comparisons(a=np.append(votes.a, a), b=np.append(votes.b, b), outcome=np.append(votes.outcome, y), count=6)
    table = tabulate(count_matrix(joined), BothBad.LEAVE_OUT)
    point, step = np.array([-0.6, 0.1, 0.9, 0.3, -1.2, 0.5, -0.4]), 1e-5 * np.eye(7)
    gradient, information = derivatives(point, table)
    slope = [(log_likelihood(point + e, table) - log_likelihood(point - e, table)) / 2e-5 for e in step]
    curvature = [(derivatives(point + e, table)[0] - derivatives(point - e, table)[0]) / 2e-5 for e in step]
    np.testing.assert_allclose(gradient, slope, atol=1e-6)
    np.testing.assert_allclose(information, -np.array(curvature), atol=1e-6)


def test_the_sandwich_from_counts_is_the_sandwich_from_votes():
    """Clustering every vote alone gives it back, times n/(n - 1)."""
    votes = davidson_world(5, 800, 0.8, seed=1).votes
    alone = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=5, prompt=np.arange(800))
    apart = fit_davidson(votes, prior=None)
    clustered = fit_davidson(alone, prior=None)
    assert choose_scheme(alone, Covariance.AUTO).clustering == clustered.clustering
    np.testing.assert_allclose(clustered.covariance, apart.covariance * 800 / 799, atol=1e-12)
    assert clustered.nu_standard_error == pytest.approx(apart.nu_standard_error * np.sqrt(800 / 799))


def test_strengths_and_the_prevalence_of_ties_are_recovered():
    world = davidson_world(12, 12_000, 0.8, seed=2)
    fit = fit_davidson(world.votes, prior=None, gauge=Gauge.EQUAL)
    assert np.sqrt(np.mean((fit.strength - world.strength) ** 2)) < 0.045 * 1.5
    assert abs(fit.nu - 0.8) < 3 * fit.nu_standard_error < 0.09


def test_probabilities_of_the_three_outcomes_sum_to_one():
    fit = fit_davidson(pudding_votes())
    total = fit.win_probability() + fit.win_probability().T + fit.tie_probability()
    np.testing.assert_allclose(total, 1.0)
    np.testing.assert_allclose(np.diag(fit.tie_probability()), fit.nu / (2 + fit.nu))


def test_its_scale_is_wider_than_that_of_half_ties():
    """Pitfall: ties are a modelling choice that moves ratings; boards must not mix the two."""
    world = davidson_world(8, 8000, 2.0, seed=3)
    half, davidson = fit_bradley_terry(world.votes), fit_davidson(world.votes)
    assert np.ptp(davidson.strength) > 1.3 * np.ptp(half.strength)
    assert np.argsort(half.strength).tolist() == np.argsort(davidson.strength).tolist()


def test_both_bad_is_a_tie_only_when_asked():
    votes = from_rows([(0, 1, 1.0), (1, 0, 1.0), (0, 1, 0.5), (0, 1, 0.5)] * 5, 2, both_bad=np.arange(20) % 4 == 3)
    assert fit_davidson(votes, prior=None).nu == pytest.approx(2 * 5 / 10)
    assert fit_davidson(votes, prior=None, both_bad=BothBad.HALF).nu == pytest.approx(2 * 10 / 10)


def test_what_has_no_maximum_is_refused():
    with pytest.raises(NoTies, match="fit_bradley_terry"):
        fit_davidson(Counts.of([[0, 3], [1, 0]]))
    with pytest.raises(OnlyTies, match="no bound"):
        fit_davidson(Counts.of([[0, 0], [0, 0]], [[0, 2], [0, 0]]))
    with pytest.raises(NotConnected):
        fit_davidson(from_rows([(0, 1, 1.0), (1, 0, 1.0), (2, 3, 0.5)], 4), prior=None)
    # Wins one way and ties, no loss: strength and ν run away together. A prior holds them.
    one_way = Counts.of([[0, 5], [0, 0]], [[0, 3], [0, 0]])
    with pytest.raises(NoConvergence, match="no bound"):
        fit_davidson(one_way, prior=None)
    assert 0.5 < fit_davidson(one_way).strength[0] < 10


def test_wins_one_way_round_a_circle_have_a_maximum():
    circle = Counts.of([[0, 4, 0], [0, 0, 5], [6, 0, 0]], [[0, 2, 0], [0, 0, 2], [2, 0, 0]])
    fit = fit_davidson(circle, prior=None)
    assert np.abs(fit.strength).max() < 1
    assert fit.nu < 2
