"""Pair effects with covariates and a side: derivatives, identities, recovery beside what ignores them, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    Adjustment,
    BadCovariate,
    BadParameter,
    Comparisons,
    Covariance,
    Gauge,
    NoConvergence,
    NormalPrior,
    Side,
    count_matrix,
    fit_pair_effects,
    fit_with_covariates,
)
from ranking.covariates.adjustment import columns_of
from ranking.pair_columns import AdjustedPairs
from ranking.pair_effects import _derivatives, pair_weights
from tests.ranking.latency import LatencyWorld, latency_world

UPPER = np.triu_indices(8, 1)
LATENCY = Adjustment(side=Side.COMMON, names=("latency",))


def paired(rows, seed, *, count=8, deviation=0.6, **labels):
    """A latency world whose pairs have effects of their own."""
    world = latency_world(rows, seed, count)
    own = np.triu(world.rng.normal(0.0, deviation, (count, count)), 1)
    felt = world.felt + (own - own.T)[world.a, world.b]
    outcome = (felt > world.rng.logistic(size=rows)).astype(float)
    drawn = {name: world.rng.integers(0, size, rows) for name, size in labels.items()}
    return world, Comparisons(a=world.a, b=world.b, outcome=outcome, count=count, covariates=world.latency, **drawn)


def pairs_of(votes, asked=LATENCY, variance=0.3):
    return replace(AdjustedPairs.of(votes, np.zeros(votes.count, dtype=int), asked), variance=variance)


def test_the_score_is_that_of_correlated_votes_pair_by_pair():
    """Σ Dᵀ(V + ω²vvᵀ)⁻¹(y - p), with dense inverses, and its information DᵀW⁻¹D."""
    _, votes = paired(200, 1, count=5)
    votes = replace(votes, weight=np.random.default_rng(2).integers(1, 3, 200).astype(float))
    pairs, point = pairs_of(votes), np.random.default_rng(3).normal(0.0, 0.5, 7)
    slope, information = pairs.derivatives(point)
    columns = columns_of(votes, LATENCY).values
    z = np.column_stack((np.eye(5)[votes.a] - np.eye(5)[votes.b], columns))
    sign = np.where(votes.a < votes.b, 1.0, -1.0)
    chance = 1.0 / (1.0 + np.exp(-z @ point))
    each = chance * (1.0 - chance)
    total, square = np.zeros(7), np.zeros((7, 7))
    parts = []
    for first in range(5):
        for second in range(first + 1, 5):
            some = (np.minimum(votes.a, votes.b) == first) & (np.maximum(votes.a, votes.b) == second)
            v, weight = each[some], votes.weight[some]
            felt = sign[some] * v
            inverse = np.linalg.inv(np.diag(v / weight) + 0.3 * np.outer(felt, felt))
            score = (z[some] * v[:, None]).T @ inverse @ (votes.outcome - chance)[some]
            parts.append(score)
            total += score
            square += (z[some] * v[:, None]).T @ inverse @ (z[some] * v[:, None])
    np.testing.assert_allclose(slope, total, atol=1e-9)
    np.testing.assert_allclose(information, square, atol=1e-9)
    np.testing.assert_allclose(pairs.pair_scores(point).toarray(), parts, atol=1e-9)


def test_without_covariates_it_is_the_quasi_likelihood_from_counts():
    _, votes = paired(900, 4, prompt=60)
    plain = pairs_of(replace(votes, covariates=None), Adjustment(side=Side.COMMON))
    point = np.random.default_rng(5).normal(0.0, 0.5, 9)
    point[8] = 0.0
    wins = count_matrix(votes).wins
    np.testing.assert_allclose(plain.derivatives(point)[0][:8], _derivatives(wins, 0.3)(point[:8])[0], atol=1e-9)
    weight = pair_weights(point[:8], wins, 0.3).weight
    laplacian = np.diag(weight.sum(axis=1)) - weight
    np.testing.assert_allclose(plain.derivatives(point)[1][:8, :8], laplacian, atol=1e-9)
    given = {"prior_variance": 1.0, "pair_variance": 0.3}
    for kind in (Covariance.HESSIAN, Covariance.PROMPT):
        fit = fit_pair_effects(votes, covariance=kind, **given)
        held = fit_pair_effects(votes, covariance=kind, adjust=Adjustment(penalty=1e10), **given)
        np.testing.assert_allclose(held.strength, fit.strength, atol=1e-5)
        np.testing.assert_allclose(held.effect, fit.effect, atol=1e-5)
        # The information from counts is the observed one.
        ratio = held.difference_variance()[UPPER] / fit.difference_variance()[UPPER]
        assert 0.9 < np.median(ratio) < 1.1
    learned, free = fit_pair_effects(votes, adjust=Adjustment(penalty=1e10)), fit_pair_effects(votes)
    assert learned.pair_variance == pytest.approx(free.pair_variance, rel=0.05)
    assert learned.prior.variance == pytest.approx(free.prior.variance, rel=0.5)


def test_without_pair_effects_it_is_the_fit_with_covariates():
    _, votes = paired(800, 6, deviation=0.0, prompt=50)
    given = {"prior_variance": 0.7, "pair_variance": 0.0}
    for data in (votes, replace(votes, prompt=None)):
        pair = fit_with_covariates(data, names=("latency",), prior=NormalPrior(0.7), covariance=Covariance.SANDWICH)
        fit = fit_pair_effects(data, adjust=LATENCY, **given)
        np.testing.assert_allclose(fit.strength, pair.strength, atol=1e-7)
        np.testing.assert_allclose(fit.effects.value, pair.effects.value, atol=1e-7)
        np.testing.assert_allclose(fit.hessian_covariance, pair.hessian_covariance, atol=1e-7)
        assert fit.log_likelihood == pytest.approx(pair.log_likelihood, abs=1e-6)
        assert not fit.effect.any()
    clustered = fit_with_covariates(votes, names=("latency",), prior=NormalPrior(0.7))
    np.testing.assert_allclose(
        fit_pair_effects(votes, adjust=LATENCY, **given).covariance, clustered.covariance, atol=1e-7
    )


def test_swapping_the_sides_changes_the_sign_of_the_side_and_counts_are_enough_for_it():
    _, votes = paired(700, 7)
    swapped = replace(votes, a=votes.b, b=votes.a, outcome=1.0 - votes.outcome, covariates=-votes.covariates)
    here, there = (fit_pair_effects(one, adjust=LATENCY) for one in (votes, swapped))
    np.testing.assert_allclose(here.strength, there.strength, atol=1e-7)
    np.testing.assert_allclose(here.effect, there.effect, atol=1e-7)
    np.testing.assert_allclose(here.effects.value, there.effects.value * [1.0, -1.0], atol=1e-7)
    sided = Adjustment(side=Side.COMMON)
    rows, counts = (
        fit_pair_effects(one, adjust=sided) for one in (replace(votes, covariates=None), count_matrix(votes))
    )
    np.testing.assert_allclose(rows.strength, counts.strength, atol=1e-7)
    np.testing.assert_allclose(rows.effects.covariance, counts.effects.covariance, atol=1e-7)


def test_latency_biases_strengths_where_it_is_ignored_and_not_where_it_is_fitted():
    effects, variances, slopes, biased = [], [], [], []
    for seed in range(840, 850):
        world, votes = paired(3000, seed)
        fit = fit_pair_effects(votes, adjust=LATENCY, gauge=Gauge.EQUAL)
        truth = np.array([LatencyWorld.EFFECT, LatencyWorld.SIDE])
        effects.append((fit.effects.per_unit - truth) * fit.effects.scale / fit.effects.standard_error())
        variances.append(fit.pair_variance)
        slopes.append(np.polyfit(world.strength, fit.strength, 1)[0])
        biased.append(np.polyfit(world.strength, fit_pair_effects(votes).strength, 1)[0])
    assert fit.effects.names == ("latency", "side")
    assert 0.6 < np.sqrt(np.mean(np.square(effects))) < 1.5
    assert 0.5 * 0.36 < np.mean(variances) < 1.5 * 0.36
    # Win rates averaged over effects of .6 are those of strengths √(1 + .35·.36) times closer.
    assert np.mean(slopes) == pytest.approx(1.0 / np.sqrt(1.0 + 0.35 * 0.36), abs=0.08)
    assert np.mean(biased) < 0.65


def test_what_cannot_be_fitted_is_refused_by_name():
    _, votes = paired(300, 9)
    with pytest.raises(BadParameter, match=r"no side for each annotator; use Side\.COMMON"):
        fit_pair_effects(votes, adjust=Adjustment(side=Side.ANNOTATOR))
    with pytest.raises(BadCovariate, match="nothing to adjust for"):
        fit_pair_effects(replace(votes, covariates=None), adjust=Adjustment())
    own = np.arange(8.0)[:, None]
    with pytest.raises(BadCovariate, match="wait is a combination of the contestants"):
        fit_pair_effects(replace(votes, covariates=own[votes.a] - own[votes.b]), adjust=Adjustment(names=("wait",)))
    with pytest.raises(BadCovariate, match=r"every preference went to one side.*Side\.NONE"):
        fit_pair_effects(replace(votes, outcome=np.ones(300)), adjust=LATENCY)
    decided = replace(votes, covariates=(2.0 * votes.outcome - 1.0)[:, None])
    with pytest.raises(NoConvergence, match=r"penalty=1\.0"):
        fit_pair_effects(decided, adjust=Adjustment())
