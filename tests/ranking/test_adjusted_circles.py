"""Circles with covariates and a side: derivatives, Bradley-Terry at rank 0, signs, recovery, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    Adjustment,
    BadCovariate,
    BothBad,
    Comparisons,
    Covariance,
    Floats,
    NoConvergence,
    Side,
    VirtualTie,
    choose_cyclic_rank,
    count_matrix,
    fit_cyclic,
    fit_with_covariates,
)
from ranking.cyclic_columns import AdjustedModel
from ranking.cyclic_model import Model
from ranking.pair_table import tabulate
from tests.ranking.test_covariates import covariate_world
from tests.ranking.worlds import random_pairs

LATENCY = Adjustment(side=Side.COMMON, names=("latency",))
UPPER = np.triu_indices(6, 1)


def fitted(votes, rank=1, seed=0, **settings):
    return fit_cyclic(votes, rank=rank, rng=np.random.default_rng(seed), **settings)


def circling(rows: int, seed: int, **labels: int) -> tuple[Floats, Comparisons]:
    """P of each pair at equal latency, and votes where the stronger are slower and people dislike waiting by .4."""
    rng = np.random.default_rng(seed)
    strength, angle = np.linspace(-0.8, 0.8, 6), np.arange(6) * np.pi / 3
    gap = strength[:, None] - strength + np.sin(angle[:, None] - angle)
    a, b = random_pairs(6, rows, rng)
    x = 1.2 * (strength[a] - strength[b]) + rng.normal(0.0, 0.85, rows)
    outcome = (rng.logistic(size=rows) < gap[a, b] - 0.4 * x + 0.2).astype(float)
    outcome[rng.random(rows) < 0.05] = 0.5
    drawn = {name: rng.integers(0, size, rows) for name, size in labels.items()}
    return 1.0 / (1.0 + np.exp(-gap)), Comparisons(a=a, b=b, outcome=outcome, count=6, covariates=x[:, None], **drawn)


@pytest.mark.parametrize("rank", [0, 2])
def test_gradient_scores_and_information_are_derivatives(rank):
    _, votes = circling(300, 1)
    votes = replace(votes, weight=np.random.default_rng(2).integers(0, 3, 300).astype(float))
    base = Model(tabulate(count_matrix(votes), BothBad.LEAVE_OUT), rank, 0.1, VirtualTie(0.5))
    model = AdjustedModel.of(base, votes, BothBad.LEAVE_OUT, replace(LATENCY, penalty=2.0))
    size = 6 * (1 + 2 * rank) + 2
    flat, step = np.random.default_rng(3).normal(0.0, 0.7, size), 1e-6 * np.eye(size)
    loss, gradient = model.loss_and_gradient, model.loss_and_gradient(flat)[1]
    slope = [(loss(flat + e)[0] - loss(flat - e)[0]) / 2e-6 for e in step]
    np.testing.assert_allclose(gradient, slope, atol=1e-4)
    scores = model.scores(flat)
    held = np.append(np.zeros(size - 2), [2.0 * flat[-2], 0.0])
    likelihood = np.asarray(scores.sum(axis=0)) - held
    point, _ = model.split(flat)
    without = gradient - np.append(base.gradient_of(point, np.zeros((6, 6))).ravel(), [0.0, 0.0])
    np.testing.assert_allclose(-likelihood, without, atol=1e-9)
    jacobian = np.array([(model.logit(flat + e) - model.logit(flat - e)) / 2e-6 for e in step])
    weight = np.random.default_rng(4).random(len(model.rows))
    expected = (jacobian * weight) @ jacobian.T + np.diag(np.append(np.zeros(size - 2), [2.0, 0.0]))
    np.testing.assert_allclose(model.information(point, weight), expected, atol=1e-5)


def test_rank_zero_is_bradley_terry_with_covariates():
    _, votes = covariate_world(900, seed=5, ties=0.1, prompt=60)
    for data in (votes, replace(votes, prompt=None)):
        pair = fit_with_covariates(data, names=("length", "headings"), penalty=2.0)
        fit = fitted(data, rank=0, adjust=Adjustment(side=Side.COMMON, names=("length", "headings"), penalty=2.0))
        assert (fit.clustering, fit.effects.names) == (pair.clustering, pair.effects.names)
        np.testing.assert_allclose(fit.effects.value, pair.effects.value, atol=1e-5)
        np.testing.assert_allclose(fit.effects.covariance, pair.effects.covariance, rtol=1e-4, atol=1e-8)
        odds = pair.strength[:, None] - pair.strength
        np.testing.assert_allclose(fit.probability, 1.0 / (1.0 + np.exp(-odds)), atol=1e-5)
        slope = fit.probability * (1.0 - fit.probability)
        np.testing.assert_allclose(fit.standard_error, slope * np.sqrt(pair.difference_variance()), atol=1e-5)
        assert fit.log_likelihood == pytest.approx(pair.log_likelihood, abs=1e-4)


def test_swapping_the_sides_changes_signs_only():
    _, votes = circling(500, 6)
    swapped = replace(votes, a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, covariates=-votes.covariates)
    here, there = (fitted(one, adjust=LATENCY, starts=2) for one in (votes, swapped))
    np.testing.assert_allclose(here.probability, there.probability, atol=1e-4)
    np.testing.assert_allclose(here.effects.value, there.effects.value * [1.0, -1.0], atol=1e-4)


def test_covariates_count_only_when_asked_for_and_a_penalty_takes_them_out_again():
    _, votes = circling(500, 7, prompt=50)
    plain = fitted(replace(votes, covariates=None))
    ignored = fitted(votes)
    np.testing.assert_array_equal(ignored.probability, plain.probability)
    assert ignored.effects is None
    held = fitted(votes, starts=2, adjust=Adjustment(penalty=1e6))
    np.testing.assert_allclose(held.probability, plain.probability, atol=1e-3)
    np.testing.assert_allclose(held.standard_error, plain.standard_error, atol=1e-3)


def test_the_side_can_be_fitted_from_counts():
    _, votes = circling(500, 8)
    plain = replace(votes, covariates=None)
    fits = [fitted(data, starts=2, adjust=Adjustment(side=Side.COMMON)) for data in (plain, count_matrix(plain))]
    np.testing.assert_allclose(fits[0].effects.value, fits[1].effects.value, atol=1e-5)
    np.testing.assert_allclose(fits[0].standard_error, fits[1].standard_error, atol=1e-4)


def test_latency_biases_probabilities_where_it_is_ignored_and_not_where_it_is_fitted():
    effects, errors, biased = [], [], []
    for seed in range(680, 683):
        probability, votes = circling(5000, seed)
        fit = fitted(votes, adjust=LATENCY, starts=2)
        effects.append((fit.effects.per_unit - [-0.4, 0.2]) * fit.effects.scale / fit.effects.standard_error())
        errors.append((fit.probability - probability)[UPPER])
        biased.append((fitted(votes, starts=2).probability - probability)[UPPER])
    assert np.abs(effects).max() < 3.0
    # The floor of cyclic boards without covariates is .019 at twice the votes and twice the contestants.
    assert np.sqrt(np.mean(np.square(errors))) < 0.019 * 1.5 < 0.05 < np.sqrt(np.mean(np.square(biased)))


def test_what_cannot_be_told_apart_is_refused_by_name():
    _, votes = circling(300, 9)
    with pytest.raises(BadCovariate, match="nothing to adjust for"):
        fitted(replace(votes, covariates=None), adjust=Adjustment())
    with pytest.raises(BadCovariate, match=r"wait is 1 in every row.*Side\.COMMON"):
        fitted(replace(votes, covariates=np.ones((300, 1))), adjust=Adjustment(names=("wait",)))
    with pytest.raises(BadCovariate, match="wait is a combination of the contestants"):
        own = np.arange(6.0)[:, None]
        fitted(replace(votes, covariates=own[votes.a] - own[votes.b]), adjust=Adjustment(names=("wait",)))
    with pytest.raises(BadCovariate, match=r"every preference went to one side.*Side\.NONE"):
        fitted(replace(votes, outcome=np.ones(300)), adjust=Adjustment(side=Side.COMMON))
    decided = replace(votes, covariates=(2.0 * votes.outcome - 1.0)[:, None])
    with pytest.raises(NoConvergence, match=r"covariate 0 alone decides the votes; give penalty=1\.0"):
        fitted(decided.select(votes.outcome != 0.5), adjust=Adjustment(), covariance=Covariance.HESSIAN)


def slow_circle(rows: int, seed: int) -> Comparisons:
    """Equals without a circle, each of whom is slow against the next one only, and people dislike waiting."""
    rng = np.random.default_rng(seed)
    a, b = random_pairs(6, rows, rng)
    ahead = np.where((a + 1) % 6 == b, 1.0, np.where((b + 1) % 6 == a, -1.0, 0.0))
    x = ahead + rng.normal(0.0, 0.5, rows)
    outcome = (rng.logistic(size=rows) < -1.0 * x + 0.3).astype(float)
    return Comparisons(a=a, b=b, outcome=outcome, count=6, covariates=x[:, None])


def test_a_circle_of_latency_is_no_circle_once_latency_is_taken_out():
    votes = slow_circle(3000, seed=320)
    plain = choose_cyclic_rank(votes, rng=np.random.default_rng(0), most=1, starts=2)
    adjusted = choose_cyclic_rank(votes, rng=np.random.default_rng(0), most=1, starts=2, adjust=LATENCY)
    assert (plain.chosen, plain.significant) == (1, True)
    assert (adjusted.chosen, adjusted.significant) == (0, False)
    assert adjusted.loss[0] < plain.loss.min() - 0.02


def test_a_circle_of_taste_is_found_beside_latency():
    _, votes = circling(4000, 321)
    choice = choose_cyclic_rank(votes, rng=np.random.default_rng(0), most=1, starts=2, adjust=LATENCY)
    assert (choice.chosen, choice.significant) == (1, True)


def test_unseen_votes_are_predicted_with_effects_by_hand():
    """Two folds by prompt: each vote's loss under rank 0 is that of the covariate fit to the other fold."""
    _, votes = circling(400, 322)
    votes = replace(votes, prompt=np.arange(400) % 2)
    choice = choose_cyclic_rank(votes, rng=np.random.default_rng(0), most=1, folds=2, starts=1, adjust=LATENCY)
    losses = np.empty(400)
    for fold in (0, 1):
        unseen = np.arange(400) % 2 == fold
        settings = {"names": ("latency",), "covariance": Covariance.HESSIAN}
        pair = fit_with_covariates(votes.select(~unseen), **settings)
        rows = votes.select(unseen)
        effect = np.column_stack((rows.covariates, np.ones(len(rows)))) @ (pair.effects.value / pair.effects.scale)
        odds = pair.strength[rows.a] - pair.strength[rows.b] + effect
        losses[unseen] = np.logaddexp(0.0, odds) - rows.outcome * odds
    assert choice.loss[0] == pytest.approx(losses.mean(), abs=1e-6)
