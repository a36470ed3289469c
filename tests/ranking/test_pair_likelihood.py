"""Derivatives against central differences, and the maximum against a general optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from ranking import NormalPrior, VirtualTie
from ranking.counts import BothBad, count_matrix
from ranking.newton import climb
from ranking.pair_likelihood import derivatives, log_likelihood, maximise
from ranking.pair_table import tabulate
from tests.ranking.published import pudding_votes

TABLE = tabulate(count_matrix(pudding_votes()), BothBad.LEAVE_OUT)
POINT = np.array([-0.6, 0.1, 0.9, 0.3, -1.2, 0.5])


def differences(function, point, step=1e-5):
    """(p, ...) central differences of function at point."""
    return np.array(
        [(function(point + step * e) - function(point - step * e)) / (2 * step) for e in np.eye(len(point))]
    )


def test_gradient_and_information_are_the_derivatives_of_the_log_likelihood():
    gradient, information = derivatives(POINT, TABLE.credit, TABLE.total)
    slope = differences(lambda point: log_likelihood(point, TABLE.credit, TABLE.total), POINT)
    curvature = differences(lambda point: derivatives(point, TABLE.credit, TABLE.total)[0], POINT)
    np.testing.assert_allclose(gradient, slope, atol=1e-6)
    np.testing.assert_allclose(information, -curvature, atol=1e-6)
    np.testing.assert_allclose(information.sum(axis=1), 0.0, atol=1e-12)


@pytest.mark.parametrize("prior", [VirtualTie(0.7), NormalPrior(0.4)])
def test_gradient_and_curvature_of_a_prior_are_its_derivatives(prior):
    np.testing.assert_allclose(prior.gradient(POINT), differences(prior.log_density, POINT), atol=1e-8)
    np.testing.assert_allclose(np.diag(prior.curvature(POINT)), -differences(prior.gradient, POINT), atol=1e-8)


@pytest.mark.parametrize("prior", [None, VirtualTie(0.5), NormalPrior(0.01)])
def test_the_maximum_is_where_a_general_optimiser_finds_it(prior):
    def loss(point):
        density = 0.0 if prior is None else prior.log_density(point)
        return -log_likelihood(point, TABLE.credit, TABLE.total) - density

    def slope(point):
        gradient = derivatives(point, TABLE.credit, TABLE.total)[0]
        return -gradient - (0.0 if prior is None else prior.gradient(point))

    found = minimize(loss, np.zeros(6), jac=slope, method="BFGS", options={"gtol": 1e-9}).x
    np.testing.assert_allclose(maximise(TABLE.credit, TABLE.total, prior, None).point, found, atol=1e-7)


def test_a_far_start_reaches_the_same_maximum():
    near = maximise(TABLE.credit, TABLE.total, None, None)
    far = maximise(TABLE.credit, TABLE.total, None, np.linspace(-12.0, 12.0, 6))
    np.testing.assert_allclose(far.point, near.point, atol=1e-9)


def test_the_inverse_is_that_of_the_factored_matrix():
    found = climb(lambda point: (np.array([1.0, 2.0]) - point @ PRECISION, PRECISION.copy()), np.zeros(2))
    np.testing.assert_allclose(found.inverse @ PRECISION, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(found.point, np.linalg.solve(PRECISION, [1.0, 2.0]), atol=1e-12)


PRECISION = np.array([[3.0, 1.0], [1.0, 2.0]])
