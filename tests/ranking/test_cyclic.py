"""Bradley-Terry with circles: derivatives, the circle of three, recovery, the choice of rank, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ranking import (
    BadParameter,
    BothBad,
    Comparisons,
    Counts,
    Covariance,
    NoComparisons,
    VirtualTie,
    choose_cyclic_rank,
    count_matrix,
    fit_bradley_terry,
    fit_cyclic,
)
from ranking.cyclic_model import Model
from ranking.pair_table import tabulate
from tests.ranking.annotator_worlds import cyclic_world

UPPER = np.triu_indices(12, 1)


def fitted(votes, rank=1, seed=0, **settings):
    return fit_cyclic(votes, rank=rank, rng=np.random.default_rng(seed), **settings)


def rmse(probability, world):
    return np.sqrt(np.mean((probability - world.probability)[UPPER] ** 2))


def direction(probability, world):
    return np.mean(((probability > 0.5) == (world.probability > 0.5))[UPPER])


@pytest.mark.parametrize("rank", [1, 2])
def test_the_gradient_is_the_derivative_of_the_loss(rank):
    votes = cyclic_world(5, 300, 1, circular=1.0).votes
    tied = replace(votes, outcome=np.where(np.arange(300) % 7 == 0, 0.5, votes.outcome))
    model = Model(tabulate(count_matrix(tied), BothBad.LEAVE_OUT), rank, 0.1, VirtualTie(0.5))
    point = np.random.default_rng(2).normal(0.0, 0.7, (5, 1 + 2 * rank))
    slope = np.empty_like(point)
    for at in np.ndindex(point.shape):
        step = np.zeros_like(point)
        step[at] = 1e-6
        slope[at] = (model.loss(point + step) - model.loss(point - step)) / 2e-6
    np.testing.assert_allclose(model.gradient(point), slope, atol=1e-5)


def test_the_errors_are_those_of_the_delta_method_by_differences():
    votes = cyclic_world(5, 400, 3, circular=1.0).votes
    model = Model(tabulate(count_matrix(votes), BothBad.LEAVE_OUT), 1, 0.1, VirtualTie(0.5))
    point, _ = model.best(np.random.default_rng(0), 5)
    spread = model.spread(point, None, Covariance.HESSIAN)
    eye = 1e-5 * np.eye(point.size).reshape(point.size, *point.shape)
    jacobian = np.array([(model.logit(point + e) - model.logit(point - e)) / 2e-5 for e in eye])
    variance = np.einsum("pij,pq,qij->ij", jacobian, spread.covariance, jacobian)
    np.testing.assert_allclose(model.logit_error(point, spread.covariance), np.sqrt(variance), atol=1e-7)
    chance = 1.0 / (1.0 + np.exp(-model.logit(point)))
    weight = 0.5 * model.table.total * chance * (1.0 - chance)
    held = np.array([0.0, 0.1, 0.1] * 5)
    held[::3] = VirtualTie(0.5).curvature(point[:, 0])
    information = np.einsum("pij,ij,qij->pq", jacobian, weight, jacobian) + np.diag(held)
    np.testing.assert_allclose(spread.covariance, np.linalg.inv(information), atol=1e-6)


def test_the_sandwich_from_counts_is_the_sandwich_from_votes():
    votes = cyclic_world(6, 600, 4, circular=1.0).votes
    votes = replace(votes, outcome=np.where(np.arange(600) % 7 == 0, 0.5, votes.outcome))
    alone = fitted(replace(votes, prompt=np.arange(600)))
    apart = fitted(count_matrix(votes))
    assert (alone.clustering.kind, apart.clustering.kind) == (Covariance.PROMPT, Covariance.SANDWICH)
    np.testing.assert_allclose(alone.standard_error, apart.standard_error * np.sqrt(600 / 599), atol=1e-6)


def test_rock_paper_scissors_is_a_circle_that_no_strengths_show():
    wins = 60.0 * np.array([[0, 3, 1], [1, 0, 3], [3, 1, 0]])
    flat, circle = fitted(Counts.of(wins), rank=0), fitted(Counts.of(wins))
    np.testing.assert_allclose(flat.probability, 0.5, atol=1e-9)
    np.testing.assert_allclose(circle.probability[[0, 1, 2], [1, 2, 0]], 0.75, atol=0.005)
    assert circle.log_likelihood > flat.log_likelihood + 50


def test_rank_zero_is_bradley_terry():
    votes = cyclic_world(8, 1000, 5, circular=0.5).votes
    plain, zero = fit_bradley_terry(votes), fitted(votes, rank=0)
    np.testing.assert_allclose(zero.probability, plain.win_probability(), atol=1e-9)
    assert zero.log_likelihood == pytest.approx(plain.log_likelihood)
    slope = plain.win_probability() * (1.0 - plain.win_probability())
    np.testing.assert_allclose(zero.standard_error, slope * np.sqrt(plain.difference_variance()), atol=1e-9)


def test_probabilities_and_directions_are_recovered_where_strengths_miss_them():
    """Floors of the prototype: rmse of P .019 against .126, direction .97 against .83; the tolerance is half more."""
    found, plain = [], []
    for seed in range(300, 306):
        world = cyclic_world(12, 12_000, seed, circular=0.8)
        fit, pooled = fitted(world.votes), fit_bradley_terry(world.votes).win_probability()
        found.append((rmse(fit.probability, world), direction(fit.probability, world)))
        plain.append((rmse(pooled, world), direction(pooled, world)))
        score = ((fit.probability - world.probability) / np.where(fit.standard_error > 0, fit.standard_error, 1.0))[
            UPPER
        ]
        assert np.mean(np.abs(score) < 1.96) > 0.8
        np.testing.assert_allclose(fit.probability + fit.probability.T, 1.0)
    assert np.mean(found, axis=0)[0] < 0.019 * 1.5 < 0.1 < np.mean(plain, axis=0)[0]
    assert np.mean(found, axis=0)[1] > 0.96 > 0.9 > np.mean(plain, axis=0)[1]


def test_the_same_minimum_is_found_from_every_start_and_whatever_the_draws():
    votes = cyclic_world(10, 4000, 6, circular=1.0).votes
    one, other = fitted(votes, seed=1), fitted(votes, seed=2)
    np.testing.assert_allclose(one.probability, other.probability, atol=1e-4)
    assert one.start_losses.shape == (5,)
    assert np.ptp(np.append(one.start_losses, other.start_losses)) < 1e-4
    np.testing.assert_array_equal(fitted(votes, seed=1).probability, one.probability)


def test_sides_names_and_order_do_not_matter_and_a_duplicate_is_a_weight_of_two():
    votes = cyclic_world(6, 900, 7, circular=1.0).votes
    plain = fitted(votes)
    swapped = replace(votes, a=votes.b, b=votes.a, outcome=1.0 - votes.outcome)
    np.testing.assert_allclose(fitted(swapped).probability, plain.probability, atol=1e-5)
    shuffled = votes.select(np.random.default_rng(0).permutation(900))
    np.testing.assert_allclose(fitted(shuffled).probability, plain.probability, atol=1e-5)
    label = np.array([4, 0, 6, 1, 3, 5])
    renamed = fitted(replace(votes, a=label[votes.a], b=label[votes.b], count=7))
    np.testing.assert_allclose(renamed.probability[np.ix_(label, label)], plain.probability, atol=1e-4)
    assert np.isnan(renamed.probability[2]).all()
    doubled = fitted(votes.select(np.tile(np.arange(900), 2)))
    weighed = fitted(replace(votes, weight=np.full(900, 2.0)))
    np.testing.assert_allclose(doubled.probability, weighed.probability, atol=1e-5)


@pytest.mark.parametrize(("circular", "rank"), [(0.0, 0), (0.8, 1)])
def test_the_rank_is_chosen_on_unseen_votes_and_circles_are_claimed_only_where_they_are(circular, rank):
    for seed in range(310, 312):
        votes = cyclic_world(12, 6000, seed, circular=circular).votes
        choice = choose_cyclic_rank(votes, rng=np.random.default_rng(seed))
        assert (choice.chosen, choice.significant) == (rank, rank > 0)
        np.testing.assert_allclose(choice.gain, choice.loss[0] - choice.loss)
        assert choice.gain_error[0] == 0.0


def test_whole_prompts_are_held_out_together():
    """Every vote written down five times under one prompt: no rank may learn the noise of its own test rows."""
    votes = cyclic_world(8, 120, 8, circular=0.0).votes
    prompt = np.tile(np.arange(120), 5)
    copied = replace(votes.select(np.tile(np.arange(120), 5)), prompt=prompt)
    held = choose_cyclic_rank(copied, rng=np.random.default_rng(0))
    leaky = choose_cyclic_rank(replace(copied, prompt=None), rng=np.random.default_rng(0))
    assert (held.chosen, held.significant) == (0, False)
    assert leaky.chosen > 0


def test_what_cannot_be_fitted_is_refused_by_name():
    votes = cyclic_world(4, 50, 9, circular=0.5).votes
    with pytest.raises(BadParameter, match="rank >= 0"):
        fitted(votes, rank=-1)
    with pytest.raises(BadParameter, match="ridge > 0"):
        fitted(votes, ridge=0.0)
    with pytest.raises(BadParameter, match="folds"):
        choose_cyclic_rank(votes, rng=np.random.default_rng(0), folds=51)
    nothing = Comparisons(a=np.array([1]), b=np.array([1]), outcome=np.array([0.5]), count=3)
    for refused in (lambda: fitted(nothing), lambda: choose_cyclic_rank(nothing, rng=np.random.default_rng(0))):
        with pytest.raises(NoComparisons, match="collect votes"):
            refused()
