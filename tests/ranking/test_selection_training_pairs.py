"""Pairs to train a reward model on: the design, its probabilities, diversity, and a fit that cannot diverge."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import chisquare

from ranking import (
    BadParameter,
    BadWeight,
    NoComparisons,
    RewardFit,
    ShapeMismatch,
    TooFewCandidates,
    choose_training_pairs,
    fit_reward,
    k_centre,
    near_duplicates,
)


def pool(prompts, pairs_each, d, seed):
    """Contrasts of responses to the same prompt, and the prompt of each."""
    rng = np.random.default_rng(seed)
    contrast = rng.normal(size=(prompts * pairs_each, d)) * rng.gamma(2.0, 0.5, (prompts * pairs_each, 1))
    return contrast, np.repeat(np.arange(prompts), pairs_each)


def no_labels(d, variance=1.0):
    return RewardFit(np.zeros(d), variance * np.eye(d), 0)


def test_the_reward_is_the_mode_that_a_general_optimiser_finds():
    contrast, _ = pool(60, 1, 4, 1)
    outcome = np.random.default_rng(2).integers(0, 3, 60) / 2

    def loss(theta):
        gap = contrast @ theta
        return float((np.logaddexp(0.0, gap) - outcome * gap).sum() + theta @ theta / (2 * 0.7))

    fit = fit_reward(contrast, outcome, prior_variance=0.7)
    np.testing.assert_allclose(fit.mean, minimize(loss, np.zeros(4), tol=1e-12).x, atol=1e-5)
    weight = fit.chance(contrast) * (1 - fit.chance(contrast))
    information = (contrast.T * weight) @ contrast + np.eye(4) / 0.7
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(information), atol=1e-6)
    np.testing.assert_allclose(fit_reward(contrast, outcome, prior_variance=0.7, start=fit.mean).mean, fit.mean)


def newton_without_line_search(contrast, outcome, start, steps=30):
    theta = start.copy()
    for _ in range(steps):
        chance = expit(contrast @ theta)
        information = (contrast.T * (chance * (1 - chance))) @ contrast + np.eye(len(theta)) / 100.0
        theta = theta + np.linalg.solve(information, contrast.T @ (outcome - chance) - theta / 100.0)
    return theta


def test_a_line_search_reaches_the_mode_where_plain_newton_jumps_for_ever():
    contrast, _ = pool(80, 1, 3, 5)
    outcome = (contrast @ np.array([1.0, -2.0, 0.5]) + np.random.default_rng(1).logistic(size=80) > 0).astype(float)
    start = np.array([6.0, 6.0, 6.0])
    fit = fit_reward(contrast, outcome, prior_variance=100.0, start=start)
    slope = contrast.T @ (outcome - fit.chance(contrast)) - fit.mean / 100.0
    assert np.abs(slope).max() < 1e-6
    plain = newton_without_line_search(contrast, outcome, start)
    assert np.abs(plain - fit.mean).max() > 10.0


def test_each_pick_is_the_one_that_shrinks_the_determinant_most():
    """By brute force: ln|Σ| after a vote on the pair is lower by ln(1 + wv)."""
    contrast, prompt = pool(12, 3, 4, 3)
    fit = fit_reward(contrast[:20], np.random.default_rng(4).integers(0, 2, 20).astype(float))
    batch = choose_training_pairs(contrast, prompt, fit, 6, np.random.default_rng(1), epsilon=1e-9)
    information, left = np.linalg.inv(fit.covariance), np.ones(len(contrast), dtype=bool)
    chance = fit.chance(contrast)
    weight = chance * (1 - chance)
    for row in batch.index:
        gain = [
            np.linalg.slogdet(information + weight[k] * np.outer(contrast[k], contrast[k]))[1] if left[k] else -np.inf
            for k in range(len(contrast))
        ]
        assert row == int(np.argmax(gain))
        information = information + weight[row] * np.outer(contrast[row], contrast[row])
        left &= prompt != prompt[row]
    assert not batch.floor.any()
    np.testing.assert_allclose(batch.probability, 1.0, atol=1e-8)


def test_a_batch_has_one_pair_of_each_prompt():
    contrast, prompt = pool(10, 4, 3, 6)
    for eta in (np.inf, 4.0):
        batch = choose_training_pairs(contrast, prompt, no_labels(3), 10, np.random.default_rng(2), eta=eta)
        assert len(set(prompt[batch.index])) == 10


@pytest.mark.parametrize("eta", [np.inf, 3.0])
def test_picks_come_as_often_as_stated(eta):
    contrast, prompt = pool(6, 2, 2, 7)
    draws, found, stated = 4000, np.zeros(12), np.zeros(12)
    for seed in range(draws):
        batch = choose_training_pairs(
            contrast, prompt, no_labels(2), 1, np.random.default_rng(seed), epsilon=0.2, eta=eta
        )
        found[batch.index[0]] += 1
        stated[batch.index[0]] = batch.probability[0]
    assert stated.sum() == pytest.approx(1.0)
    assert stated.min() >= 0.2 / 12
    assert chisquare(found, draws * stated).pvalue > 0.001


def test_the_same_seed_picks_the_same_batch():
    contrast, prompt = pool(30, 2, 5, 8)
    one, two = (
        choose_training_pairs(contrast, prompt, no_labels(5), 12, np.random.default_rng(3), eta=2.0) for _ in range(2)
    )
    np.testing.assert_array_equal(one.index, two.index)
    np.testing.assert_array_equal(one.probability, two.probability)


def test_chosen_pairs_teach_more_than_random_ones():
    """Squared error of the reward after 120 labels, over 12 repetitions."""
    errors = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        contrast, prompt = pool(1500, 1, 12, 100 + seed)
        truth = rng.normal(size=12) * 0.7
        answers = (rng.random(len(contrast)) < expit(contrast @ truth)).astype(float)
        for chosen in (True, False):
            fit, labelled = no_labels(12), np.zeros(len(contrast), dtype=bool)
            for _ in range(6):
                rest = np.flatnonzero(~labelled)
                if chosen:
                    rest = rest[choose_training_pairs(contrast[rest], prompt[rest], fit, 20, rng).index]
                else:
                    rest = rng.choice(rest, 20, replace=False)
                labelled[rest] = True
                fit = fit_reward(contrast[labelled], answers[labelled])
            errors.append(float(((fit.mean - truth) ** 2).sum()))
    by_design, by_chance = np.reshape(errors, (12, 2)).mean(axis=0)
    assert by_design < 0.8 * by_chance


def test_k_centre_is_within_twice_the_best_radius():
    points = np.random.default_rng(9).normal(size=(12, 2))
    chosen = k_centre(points, 3)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)

    def radius(centres):
        return apart[:, list(centres)].min(axis=1).max()

    from itertools import combinations

    best = min(radius(centres) for centres in combinations(range(12), 3))
    assert len(set(chosen.tolist())) == 3
    assert best <= radius(chosen) <= 2 * best
    np.testing.assert_array_equal(k_centre(points, 12, first=4)[0], 4)
    assert sorted(k_centre(np.zeros((4, 2)), 4)) == [0, 1, 2, 3]


def test_near_duplicates_of_a_kept_row_are_marked():
    points = np.array([[0.0, 0.0], [0.05, 0.0], [1.0, 0.0], [0.09, 0.0], [0.11, 0.0], [1.0, 0.02]])
    np.testing.assert_array_equal(near_duplicates(points, 0.1), [False, True, False, True, False, True])


def test_bad_pools_and_labels_are_refused_with_the_fix():
    contrast, prompt = pool(5, 2, 3, 1)
    rng = np.random.default_rng(1)
    with pytest.raises(TooFewCandidates, match="the pool has 5 prompts"):
        choose_training_pairs(contrast, prompt, no_labels(3), 6, rng)
    with pytest.raises(BadParameter, match=r"epsilon is 0\.0"):
        choose_training_pairs(contrast, prompt, no_labels(3), 2, rng, epsilon=0.0)
    with pytest.raises(ShapeMismatch, match="prompt has shape"):
        choose_training_pairs(contrast, prompt[:-1], no_labels(3), 2, rng)
    with pytest.raises(BadParameter, match="NaN or infinite"):
        choose_training_pairs(contrast * np.nan, prompt, no_labels(3), 2, rng)
    with pytest.raises(BadWeight, match=r"outside 0\.\.1"):
        fit_reward(contrast, np.full(10, 2.0))
    with pytest.raises(NoComparisons, match="no labels yet"):
        fit_reward(contrast[:0], np.zeros(0))
    with pytest.raises(BadParameter, match="prior_variance is 0"):
        fit_reward(contrast, np.zeros(10), prior_variance=0.0)
    with pytest.raises(ShapeMismatch, match="outcome has shape"):
        fit_reward(contrast, np.zeros(3))
    with pytest.raises(BadParameter, match="the pool has 10 rows"):
        k_centre(contrast, 11)
