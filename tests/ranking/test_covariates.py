"""Bradley-Terry with covariates: published examples, derivatives, a plain logistic regression, recovery, refusals."""

import numpy as np
import pytest
from scipy.optimize import minimize

from ranking import (
    BadCovariate,
    BadParameter,
    BothBad,
    Comparisons,
    Counts,
    Covariance,
    Gauge,
    NoConvergence,
    Note,
    ShapeMismatch,
    Side,
    count_matrix,
    fit_bradley_terry,
    fit_with_covariates,
)
from ranking.covariates.design import design
from ranking.covariates.sums import Parameters, gradient_and_information
from tests.ranking.published import BASEBALL_HOME
from tests.ranking.worlds import normal_quantiles, random_pairs

RAW = {"prior": None, "floor": False}

# BradleyTerry2 1.1-2 (Turner & Firth 2012, J. Stat. Softw. 48(9), section 3.1), baseballModel2: Baltimore at zero;
# Agresti 2002, section 10.6.2, prints the home advantage as .302 with standard error .131.
BASEBALL_AT_HOME = (1.6196, 1.4754, 1.3271, 1.2813, 1.1438, 0.7047, 0.0)


def covariate_world(rows, seed, *, count=8, effect=(0.4, -0.2), side=0.15, ties=0.0, **labels):
    """x of A minus B, two of them correlated; the side shown first gains `side` logits."""
    rng = np.random.default_rng(seed)
    strength = normal_quantiles(count, 0.8)
    a, b = random_pairs(count, rows, rng)
    shared = rng.normal(size=(rows, 1))
    x = (rng.normal(size=(rows, len(effect))) + 0.5 * shared) * np.array([3.0, 0.5])[: len(effect)]
    logit = strength[a] - strength[b] + x @ (np.array(effect) / np.array([3.0, 0.5])[: len(effect)]) + side
    outcome = np.where(rng.random(rows) < ties, 0.5, (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float))
    drawn = {name: rng.integers(0, size, rows) for name, size in labels.items()}
    return strength, Comparisons(a=a, b=b, outcome=outcome, count=count, covariates=x, **drawn)


def with_covariates(votes, x, **changes):
    columns = {"a": votes.a, "b": votes.b, "outcome": votes.outcome, "count": votes.count} | changes
    return Comparisons(**columns, covariates=x)


def test_agrestis_home_advantage_is_reproduced_from_counts():
    home = np.array(BASEBALL_HOME, dtype=float)
    nothing = np.zeros((7, 7))
    counts = Counts(a_wins=home[:, :, 0], b_wins=home[:, :, 1], ties=nothing, both_bad=nothing)
    fit = fit_with_covariates(counts, gauge=6, covariance=Covariance.HESSIAN, **RAW)
    assert tuple(fit.strength.round(4)) == BASEBALL_AT_HOME
    assert fit.effects.names == ("side",)
    assert (fit.effects.value.round(4).tolist(), fit.effects.standard_error().round(3).tolist()) == ([0.3023], [0.131])
    np.testing.assert_array_equal(fit.unadjusted.strength, fit_bradley_terry(counts, gauge=6, **RAW).strength)
    assert fit.first_side_probability() == pytest.approx(0.575, abs=5e-4)


def test_it_is_the_logistic_regression_on_dummies_and_covariates():
    """Point, log-likelihood, Hessian and sandwich against dense algebra; more rows than one block, some left out."""
    rng = np.random.default_rng(3)
    _, votes = covariate_world(40_000, seed=3, ties=0.1)
    weight, bad = rng.integers(0, 3, 40_000).astype(float), (votes.outcome == 0.5) & (rng.random(40_000) < 0.5)
    votes = with_covariates(votes, votes.covariates, weight=weight, both_bad=bad)
    fit = fit_with_covariates(votes, gauge=0, covariance=Covariance.SANDWICH, **RAW)
    z = np.zeros((40_000, 11))
    at = np.arange(40_000)
    z[at, votes.a] += 1
    z[at, votes.b] -= 1
    z[:, 8:10], z[:, 10] = votes.covariates, 1.0
    z, kept = z[:, 1:], np.where(bad, 0.0, weight)

    def loss(point):
        eta = z @ point
        p = 1 / (1 + np.exp(-eta))
        return -kept @ (votes.outcome * eta - np.logaddexp(0, eta)), -(z.T @ (kept * (votes.outcome - p)))

    found = minimize(loss, np.zeros(10), jac=True, method="BFGS", options={"gtol": 1e-6})
    expected = np.append(fit.strength[1:], fit.effects.per_unit)
    np.testing.assert_allclose(expected, found.x, atol=1e-6)
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-6)
    p = 1 / (1 + np.exp(-z @ expected))
    bread = np.linalg.inv((z * (kept * p * (1 - p))[:, None]).T @ z)
    meat = (z * (kept * (votes.outcome - p) ** 2)[:, None]).T @ z
    sandwich = bread @ meat @ bread
    np.testing.assert_allclose(fit.covariance[1:, 1:], sandwich[:7, :7], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(fit.hessian_covariance[1:, 1:], bread[:7, :7], rtol=1e-6, atol=1e-12)
    unit = fit.effects.covariance / np.outer(fit.effects.scale, fit.effects.scale)
    np.testing.assert_allclose(unit, sandwich[7:, 7:], rtol=1e-6, atol=1e-12)


def test_clustered_intervals_of_strengths_and_effects_sum_scores_by_cluster():
    _, votes = covariate_world(600, seed=4, annotator=25, prompt=40)
    fit = fit_with_covariates(votes, covariance=Covariance.PROMPT, gauge=Gauge.EQUAL, **RAW)
    z = np.zeros((600, 11))
    at = np.arange(600)
    z[at, votes.a], z[at, votes.b] = 1.0, -1.0
    z[:, 8:10], z[:, 10] = votes.covariates / fit.effects.scale[:2], 1.0
    point = np.append(fit.strength, fit.effects.value)
    p = 1 / (1 + np.exp(-z @ point))
    bread = np.linalg.pinv((z * (p * (1 - p))[:, None]).T @ z)
    sums = np.zeros((40, 11))
    np.add.at(sums, votes.prompt, z * (votes.outcome - p)[:, None])
    sandwich = bread @ (sums.T @ sums) @ bread * 40 / 39
    np.testing.assert_allclose(fit.covariance, sandwich[:8, :8], rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(fit.effects.covariance, sandwich[8:, 8:], rtol=1e-6, atol=1e-10)
    assert fit_with_covariates(votes).clustering.kind is Covariance.TWO_WAY
    assert Note.FEW_CLUSTERS in fit_with_covariates(votes).notes


def test_strengths_and_effects_are_recovered_and_the_unadjusted_board_stands_beside():
    strength, votes = covariate_world(30_000, seed=5)
    fit = fit_with_covariates(votes, names=("length", "headings"), gauge=Gauge.EQUAL)
    truth = np.array([0.4, -0.2]) / np.array([3.0, 0.5])
    error = fit.effects.standard_error() / fit.effects.scale
    assert (np.abs(fit.effects.per_unit - np.append(truth, 0.15)) < 3 * error).all()
    assert np.abs(fit.strength - strength).max() < 3 * fit.standard_error().max()
    assert fit.effects.names == ("length", "headings", "side")
    np.testing.assert_allclose(fit.effects.scale[:2], np.sqrt((votes.covariates**2).mean(axis=0)))
    plain = fit_bradley_terry(votes, gauge=Gauge.EQUAL)
    np.testing.assert_array_equal(fit.unadjusted.strength, plain.strength)
    np.testing.assert_array_equal(fit.unadjusted.covariance, plain.covariance)
    assert fit.log_likelihood > plain.log_likelihood + 500
    low, high = fit.interval("length")
    assert low < 0.4 / 3.0 * fit.effects.scale[0] < high
    with pytest.raises(BadCovariate, match="choose from length, headings, side"):
        fit.interval("bold")


def test_what_wins_by_style_loses_its_lead_once_style_is_adjusted():
    """A contestant whose answers are longer, where voters like length: first unadjusted, level when adjusted."""
    rng = np.random.default_rng(6)
    a, b = random_pairs(5, 20_000, rng)
    length = rng.normal(size=20_000) + 1.5 * ((a == 4).astype(float) - (b == 4))
    outcome = (rng.random(20_000) < 1 / (1 + np.exp(-0.5 * length))).astype(float)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=5, covariates=length[:, None])
    fit = fit_with_covariates(votes, gauge=0)
    assert fit.unadjusted.strength[4] > 0.5
    assert abs(fit.strength[4]) < 3 * np.sqrt(fit.difference_variance()[4, 0])


def test_swapping_the_sides_changes_signs_only():
    _, votes = covariate_world(2000, seed=7)
    swapped = Comparisons(a=votes.b, b=votes.a, outcome=1 - votes.outcome, count=8, covariates=-votes.covariates)
    one, other = fit_with_covariates(votes), fit_with_covariates(swapped)
    np.testing.assert_allclose(one.strength, other.strength, atol=1e-9)
    np.testing.assert_allclose(one.effects.value, other.effects.value * [1, 1, -1], atol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-9)


def test_relabelling_shuffling_and_doubling_do_what_they_should():
    _, votes = covariate_world(2000, seed=8, ties=0.2)
    fit, label = fit_with_covariates(votes), np.array([5, 3, 9, 0, 7, 1, 2, 8])
    order = np.random.default_rng(0).permutation(2000)
    renamed = Comparisons(
        a=label[votes.a][order],
        b=label[votes.b][order],
        outcome=votes.outcome[order],
        count=10,
        covariates=votes.covariates[order],
    )
    np.testing.assert_allclose(fit_with_covariates(renamed).strength[label], fit.strength, atol=1e-9)
    assert np.isnan(fit_with_covariates(renamed).strength[[4, 6]]).all()
    twice = fit_with_covariates(votes.select(np.repeat(np.arange(2000), 2)))
    weighted = fit_with_covariates(with_covariates(votes, votes.covariates, weight=np.full(2000, 2.0)))
    for left, right in ((twice.strength, weighted.strength), (twice.effects.value, weighted.effects.value)):
        np.testing.assert_allclose(left, right, atol=1e-9)
    np.testing.assert_allclose(twice.covariance, weighted.covariance, atol=1e-12)


def test_the_unit_of_a_covariate_does_not_matter():
    _, votes = covariate_world(1500, seed=9)
    metres, miles = votes.covariates, votes.covariates * [1.0, 1609.344]
    one = fit_with_covariates(with_covariates(votes, metres), penalty=5.0)
    other = fit_with_covariates(with_covariates(votes, miles), penalty=5.0)
    np.testing.assert_allclose(one.strength, other.strength, atol=1e-9)
    np.testing.assert_allclose(one.effects.value, other.effects.value, atol=1e-9)
    np.testing.assert_allclose(other.effects.per_unit[1], one.effects.per_unit[1] / 1609.344, rtol=1e-9)


def test_the_penalty_weighs_as_a_few_votes_and_not_as_many_as_there_are():
    """Pitfall: added to the mean loss, a penalty of 1 leaves 18 % of six effects at 100,000 votes."""
    rng = np.random.default_rng(10)
    a, b = random_pairs(20, 100_000, rng)
    x = rng.normal(size=(100_000, 6))
    outcome = (rng.random(100_000) < 1 / (1 + np.exp(-x @ np.full(6, 0.2)))).astype(float)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=20, covariates=x)
    free, penalised = (fit_with_covariates(votes, side=Side.NONE, penalty=penalty) for penalty in (0.0, 1.0))
    assert (free.penalty, penalised.penalty) == (0.0, 1.0)
    assert 0.999 < np.min(penalised.effects.value / free.effects.value) < 1.0
    mean_scale = fit_with_covariates(votes, side=Side.NONE, penalty=100_000.0)
    assert 0.15 < np.mean(mean_scale.effects.value / free.effects.value) < 0.22


def test_the_maximum_is_exact_and_nothing_is_added_to_the_information():
    """Pitfalls: an optimiser's tolerance on a mean loss, and a ridge in the Hessian that narrows intervals."""
    _, votes = covariate_world(20_000, seed=11)
    fit = fit_with_covariates(votes, gauge=Gauge.EQUAL, covariance=Covariance.HESSIAN, **RAW)
    columns = design(votes, Side.COMMON, BothBad.LEAVE_OUT)
    at = Parameters(fit.strength, fit.effects.value, fit.shape)
    slope, information = gradient_and_information(columns, at, np.ones(8, dtype=bool))
    step = np.linalg.pinv(information) @ slope
    assert np.abs(step).max() < 1e-9
    np.testing.assert_allclose(fit.covariance, np.linalg.pinv(information)[:8, :8], rtol=1e-8, atol=1e-14)


def test_the_side_is_fitted_from_unfolded_counts_as_from_rows():
    """Pitfall: folded wins hide that one side of the screen wins more."""
    rng = np.random.default_rng(12)
    a, b = random_pairs(6, 30_000, rng)
    outcome = (rng.random(30_000) < 1 / (1 + np.exp(-0.3))).astype(float)
    votes = Comparisons(a=a, b=b, outcome=outcome, count=6, prompt=rng.integers(0, 500, 30_000))
    rows, counts = fit_with_covariates(votes), fit_with_covariates(count_matrix(votes))
    np.testing.assert_allclose(rows.effects.value, counts.effects.value, atol=1e-12)
    assert rows.clustering.kind is Covariance.PROMPT
    assert counts.clustering.kind is Covariance.SANDWICH
    assert abs(rows.effects.value[0] - 0.3) < 3 * rows.effects.standard_error()[0]
    assert rows.interval("side")[0] > 0.2
    with pytest.raises(BadCovariate, match=r"Counts\.of folds the sides"):
        fit_with_covariates(Counts.of(count_matrix(votes).wins))


def test_columns_that_say_nothing_are_refused_by_name():
    _, votes = covariate_world(500, seed=16)
    x, names = votes.covariates, ("length", "bold", "code")

    def refused(column, **options):
        joined = with_covariates(votes, np.column_stack((x, column)))
        with pytest.raises(BadCovariate) as refusal:
            fit_with_covariates(joined, names=names, **options)
        return str(refusal.value)

    price = np.array([1.0, 5.0, 2.0, 2.5, 7.0, 1.0, 3.0, 4.0])
    assert refused(np.zeros(500)) == "code is 0 in every row, so nothing shows its effect; leave it out."
    assert "code is 2 in every row: that is a side's gain; use Side.COMMON" in refused(np.full(500, 2.0))
    assert refused(2 * x[:, 0] - x[:, 1]).startswith("code is a combination of the contestants and length, bold,")
    assert refused(price[votes.a] - price[votes.b]).startswith("code is a combination of the contestants")
    assert "leave it out" in refused(price[votes.a] - price[votes.b], prior=None)


def test_settings_that_make_no_sense_are_refused():
    _, votes = covariate_world(500, seed=17)
    with pytest.raises(BadParameter, match="penalty is -1"):
        fit_with_covariates(votes, penalty=-1.0)
    with pytest.raises(ShapeMismatch, match="2 covariates and 1 names"):
        fit_with_covariates(votes, names=("length",))
    bare = Comparisons(a=votes.a, b=votes.b, outcome=votes.outcome, count=8)
    with pytest.raises(BadCovariate, match="nothing to adjust for"):
        fit_with_covariates(bare, side=Side.NONE)
    with pytest.raises(BadCovariate, match="NaN or infinite"):
        with_covariates(votes, np.full((500, 1), np.nan))


def test_a_covariate_that_decides_every_vote_needs_a_penalty():
    rng = np.random.default_rng(18)
    a, b = random_pairs(4, 400, rng)
    gap = rng.normal(size=400)
    votes = Comparisons(a=a, b=b, outcome=(gap > 0).astype(float), count=4, covariates=gap[:, None])
    with pytest.raises(NoConvergence, match=r"penalty=1\.0"):
        fit_with_covariates(votes, side=Side.NONE)
    assert 1.0 < fit_with_covariates(votes, side=Side.NONE, penalty=1.0).effects.value[0] < 20.0
