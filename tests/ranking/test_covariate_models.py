"""Covariates under every model of ties, and sides that annotators lean to: derivatives, identities, recovery."""

import numpy as np
import pytest
from scipy.optimize import minimize

from ranking import (
    BOARD_PRIOR,
    BothBad,
    Comparisons,
    Covariance,
    Gauge,
    MissingLabels,
    Response,
    Side,
    count_matrix,
    fit_with_covariates,
)
from ranking.covariates.design import design
from ranking.covariates.sums import Parameters, gradient_and_information, log_likelihood
from ranking.covariates.unadjusted import Settings, fit_plain
from tests.ranking.test_covariates import RAW, covariate_world, with_covariates
from tests.ranking.worlds import normal_quantiles, random_pairs


@pytest.mark.parametrize("response", list(Response))
def test_gradient_and_information_are_the_derivatives_of_the_log_likelihood(response):
    _, votes = covariate_world(300, seed=1, ties=0.2)
    strength = np.where(votes.outcome == 0.5, 0, np.random.default_rng(3).choice([1, 3], 300))
    own = with_covariates(votes, votes.covariates, b=np.where(np.arange(300) < 5, votes.a, votes.b), strength=strength)
    settings = Settings(BOARD_PRIOR, Covariance.HESSIAN, 0, BothBad.LEAVE_OUT, True, 30.0)
    plain = fit_plain(own, count_matrix(own), response, settings)
    columns = design(own, Side.COMMON, BothBad.LEAVE_OUT, answers=plain.answers)
    assert len(plain.shape) == {"half_ties": 0, "davidson": 1, "rao_kupper": 1, "grades": 2}[response]
    point = np.append(np.random.default_rng(2).normal(size=11), plain.shape + 0.1)
    everyone, step = np.ones(8, dtype=bool), 1e-5 * np.eye(len(point))

    def value(at):
        return log_likelihood(columns, Parameters.of(at, everyone, 3))

    def slope(at):
        return gradient_and_information(columns, Parameters.of(at, everyone, 3), everyone)

    rise = [(value(point + e) - value(point - e)) / 2e-5 for e in step]
    bend = [(slope(point + e)[0] - slope(point - e)[0]) / 2e-5 for e in step]
    gradient, information = slope(point)
    np.testing.assert_allclose(gradient, rise, atol=1e-5)
    np.testing.assert_allclose(information, -np.array(bend), atol=1e-5)


@pytest.mark.parametrize("response", [Response.DAVIDSON, Response.RAO_KUPPER, Response.GRADES])
def test_without_effects_every_model_of_ties_is_its_own_fit(response):
    """An enormous penalty leaves nothing but the plain model, its shape, errors and clusters included."""
    _, votes = covariate_world(900, seed=21, ties=0.25, prompt=80)
    strength = np.where(votes.outcome == 0.5, 0, np.random.default_rng(4).integers(1, 4, 900))
    graded = with_covariates(votes, votes.covariates, strength=strength, prompt=votes.prompt)
    fit = fit_with_covariates(graded, response=response, side=Side.NONE, penalty=1e12)
    plain = fit.unadjusted
    assert (
        type(plain).__name__
        == {"davidson": "DavidsonFit", "rao_kupper": "RaoKupperFit", "grades": "OrdinalFit"}[response]
    )
    np.testing.assert_allclose(fit.strength, plain.strength, atol=1e-7)
    np.testing.assert_allclose(fit.covariance, plain.covariance, rtol=1e-5, atol=1e-9)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
    if response is Response.DAVIDSON:
        assert fit.shape[0] == pytest.approx(plain.log_nu, abs=1e-7)
        assert fit.shape_covariance[0, 0] == pytest.approx(plain.log_nu_variance, rel=1e-5)
    else:
        np.testing.assert_allclose(fit.shape, plain.cuts, atol=1e-7)
        np.testing.assert_allclose(fit.shape_covariance, plain.cut_covariance, rtol=1e-5)


@pytest.mark.parametrize("response", [Response.DAVIDSON, Response.RAO_KUPPER, Response.GRADES])
def test_ties_and_grades_can_be_adjusted_for_style_and_side_too(response):
    rng = np.random.default_rng(22)
    rows, strength = 20_000, normal_quantiles(6, 0.8)
    a, b = random_pairs(6, rows, rng)
    x = rng.normal(size=(rows, 1))
    logit = strength[a] - strength[b] + 0.4 * x[:, 0] + 0.2
    if response is Response.DAVIDSON:
        whole = np.exp(logit / 2) + 0.7 + np.exp(-logit / 2)
        draw = rng.random(rows) * whole
        outcome = np.where(draw < np.exp(logit / 2), 1.0, np.where(draw < np.exp(logit / 2) + 0.7, 0.5, 0.0))
        grade, shape = np.sign(outcome - 0.5), [np.log(0.7)]
    else:
        latent = logit + rng.logistic(size=rows)
        grade = np.sign(latent) * (np.abs(latent)[:, None] > [0.4, 1.5]).sum(axis=1)
        outcome, shape = 0.5 + 0.5 * np.sign(grade), [0.4, 1.5][: 1 + (response is Response.GRADES)]
    votes = Comparisons(a=a, b=b, outcome=outcome, count=6, covariates=x, strength=np.abs(grade).astype(int))
    fit = fit_with_covariates(votes, response=response, names=("length",), gauge=Gauge.EQUAL)
    off = (fit.effects.per_unit - [0.4, 0.2]) * fit.effects.scale / fit.effects.standard_error()
    assert np.abs(off).max() < 3
    assert np.abs((fit.strength - strength) / fit.standard_error()).max() < 3
    np.testing.assert_allclose(fit.shape, shape, atol=3 * np.sqrt(fit.shape_covariance.diagonal().max()))
    assert fit.log_likelihood > fit.unadjusted.log_likelihood + 100
    if response is not Response.GRADES:
        side = fit_with_covariates(count_matrix(votes), response=response)
        assert side.interval("side")[0] > 0.05


def test_grades_need_strengths():
    _, votes = covariate_world(200, seed=23)
    for data in (votes, count_matrix(votes)):
        with pytest.raises(MissingLabels, match=r"Response\.RAO_KUPPER"):
            fit_with_covariates(data, response=Response.GRADES)


def test_annotators_lean_to_a_side_each_by_their_own_amount():
    rng = np.random.default_rng(13)
    lean = rng.normal(0.2, 0.8, 60)
    strength = normal_quantiles(6, 0.8)
    a, b = random_pairs(6, 9000, rng)
    annotator = np.where(np.arange(9000) < 8900, rng.integers(0, 60, 9000), -1)
    logit = strength[a] - strength[b] + np.where(annotator < 0, 0.2, lean[annotator])
    outcome = (rng.random(9000) < 1 / (1 + np.exp(-logit))).astype(float)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=6, annotator=np.where(annotator < 0, -1, annotator * 7))
    fit = fit_with_covariates(votes, side=Side.ANNOTATOR, gauge=Gauge.EQUAL)
    leanings = fit.leanings
    assert leanings.annotator.tolist() == (np.arange(60) * 7).tolist()
    assert 0.6**2 < leanings.variance < 1.0**2
    error = leanings.deviation + fit.effects.value[-1] - lean
    assert np.mean(error**2) < 0.8 * np.mean((lean - lean.mean()) ** 2) * 0.2
    assert 0.7 < np.mean((error / leanings.standard_error) ** 2) < 1.4
    assert np.abs(leanings.deviation).max() < 4 * 0.8
    # Pooled sides attenuate every strength; leanings give them back.
    pooled = fit_with_covariates(votes, gauge=Gauge.EQUAL)
    assert np.ptp(fit.strength) > np.ptp(pooled.strength)
    assert np.abs(fit.strength - strength).max() < 0.2


def test_the_joint_maximum_over_leanings_is_a_maximum():
    rng = np.random.default_rng(14)
    a, b = random_pairs(4, 800, rng)
    annotator = rng.integers(0, 12, 800)
    logit = rng.normal(0, 1.0, 12)[annotator]
    outcome = (rng.random(800) < 1 / (1 + np.exp(-logit))).astype(float)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=4, annotator=annotator)
    fit = fit_with_covariates(votes, side=Side.ANNOTATOR, gauge=0, **RAW)
    variance = fit.leanings.variance

    def loss(point):
        strength = np.append(0.0, point[:3])
        eta = strength[a] - strength[b] + point[3] + point[4:][annotator]
        return -(outcome * eta - np.logaddexp(0, eta)).sum() + 0.5 * point[4:] @ point[4:] / variance

    best = minimize(loss, np.zeros(16), method="BFGS", options={"gtol": 1e-5}).x
    ours = np.concatenate((fit.strength[1:], fit.effects.value, fit.leanings.deviation))
    np.testing.assert_allclose(ours, best, atol=1e-5)


@pytest.mark.parametrize("covariance", [Covariance.ANNOTATOR, Covariance.TWO_WAY, Covariance.HESSIAN])
def test_the_common_side_is_as_uncertain_as_people_differ(covariance):
    """The error of a mean over thirty people who lean by .6 is .6/√30, however many votes each has."""
    off, truth = [], [0.3, 0.2]
    for seed in range(30):
        rng = np.random.default_rng(730_000 + seed)
        a, b = random_pairs(5, 1500, rng)
        annotator, x = rng.integers(0, 30, 1500), rng.normal(size=(1500, 1))
        logit = truth[0] * x[:, 0] + (truth[1] + 0.6 * rng.normal(size=30))[annotator]
        outcome = (rng.random(1500) < 1 / (1 + np.exp(-logit))).astype(float)
        labels = {"annotator": annotator, "prompt": rng.integers(0, 300, 1500)}
        votes = Comparisons(a=a, b=b, outcome=outcome, count=5, covariates=x, **labels)
        fit = fit_with_covariates(votes, side=Side.ANNOTATOR, covariance=covariance)
        assert fit.effects.standard_error()[1] > 0.5 * 0.6 / np.sqrt(30)
        off.append((fit.effects.per_unit - truth) * fit.effects.scale / fit.effects.standard_error())
    spread = np.std(off, axis=0)
    assert (np.abs(spread - 1.0) < 3.0 / np.sqrt(2 * 30)).all()


def test_annotators_who_lean_alike_share_one_side():
    rng = np.random.default_rng(15)
    a, b = random_pairs(5, 4000, rng)
    outcome = np.where(rng.random(4000) < 0.3, 0.5, (rng.random(4000) < 0.55).astype(float))
    votes = Comparisons(a=a, b=b, outcome=outcome, count=5, annotator=rng.integers(0, 40, 4000))
    fit = fit_with_covariates(votes, side=Side.ANNOTATOR)
    if fit.leanings.variance:
        assert np.abs(fit.leanings.deviation).max() < 0.2
    else:
        assert not fit.leanings.deviation.any()
    with pytest.raises(MissingLabels, match=r"Side\.COMMON"):
        fit_with_covariates(Comparisons(a=a, b=b, outcome=outcome, count=5), side=Side.ANNOTATOR)
